package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ServeHTTP is the page /_local/faults.
func (s *Faults) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		var f Fault
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&f)
		if err == nil {
			err = s.Add(f)
		}
		if err != nil {
			http.Error(w, "fault: "+err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusCreated)
	case http.MethodGet:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.List()) // the reader may have gone
	case http.MethodDelete:
		s.Clear()
		w.WriteHeader(http.StatusNoContent)
	default:
		http.Error(w, "faults are added by POST, listed by GET, removed by DELETE", http.StatusMethodNotAllowed)
	}
}

// Before puts the faults of a target in front of its service. name names a call of it, given its body; kill ends the processes of the
// function a call names, and may be nil elsewhere.
func (s *Faults) Before(target string, service http.Handler, name func(r *http.Request, body []byte) string, kill func(function string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.any(target) {
			service.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<20))
		if err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		call := name(r, body)
		f, struck := s.take(target, call)
		if !struck {
			service.ServeHTTP(w, r)
			return
		}
		delay := time.Duration(f.DelayMs) * time.Millisecond
		if f.Answer == Kill {
			timer := time.AfterFunc(delay, func() { kill(call) })
			defer timer.Stop()
			service.ServeHTTP(w, r)
			return
		}
		select {
		case <-time.After(delay):
		case <-r.Context().Done():
			return
		}
		s.answer(w, r, f, service)
	})
}

func (s *Faults) answer(w http.ResponseWriter, r *http.Request, f Fault, service http.Handler) {
	switch f.Answer {
	case "":
		service.ServeHTTP(w, r)
	case Hang:
		<-r.Context().Done()
	case Drop:
		cut()
	case Lose:
		service.ServeHTTP(unheard{}, r)
		cut()
	default:
		answers(f.Target)[f.Answer](w)
	}
}

// unheard takes an answer that nobody is to get.
type unheard struct{}

func (unheard) Header() http.Header         { return http.Header{} }
func (unheard) Write(p []byte) (int, error) { return len(p), nil }
func (unheard) WriteHeader(int)             {}

// cut ends the client's connection without an answer, which is what net/http does for this panic.
func cut() { panic(http.ErrAbortHandler) }

// TableCall names a call of DynamoDB: its operation and the tables it touches.
func TableCall(r *http.Request, body []byte) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var tables []string
	for rest := body; ; {
		_, after, found := bytes.Cut(rest, []byte(`"TableName":"`))
		if !found {
			break
		}
		table, end, _ := bytes.Cut(after, []byte(`"`))
		tables, rest = append(tables, string(table)), end
	}
	return strings.Join(append([]string{operation}, tables...), " ")
}

// QueueCall names a call of SQS: its operation and queue.
func QueueCall(r *http.Request, body []byte) string {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	var in struct {
		QueueURL string `json:"QueueUrl"`
	}
	_ = json.Unmarshal(body, &in) // what is no JSON has no queue
	return fmt.Sprint(operation, " ", in.QueueURL[strings.LastIndexByte(in.QueueURL, '/')+1:])
}

// ConnectionCall names a call of @connections: its method and the connection.
func ConnectionCall(r *http.Request, _ []byte) string {
	return r.Method + " " + r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
}

// FunctionCall names an invocation: its function.
func FunctionCall(r *http.Request, _ []byte) string {
	name := strings.TrimPrefix(r.URL.Path, "/2015-03-31/functions/")
	name, _, _ = strings.Cut(name, "/")
	return name
}
