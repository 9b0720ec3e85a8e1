package lambda

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestClientReadsRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		status    int
		errorType string
		body      string
		want      Error
		retryable bool
	}{
		{
			name: "function not found", status: 404, errorType: "ResourceNotFoundException",
			body: `{"Message":"Function not found: x","Type":"User"}`,
			want: Error{Status: 404, Code: "ResourceNotFoundException", Message: "Function not found: x"},
		},
		{
			name: "throttled", status: 429, errorType: "TooManyRequestsException",
			body:      `{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}`,
			want:      Error{Status: 429, Code: "TooManyRequestsException", Message: "Rate Exceeded."},
			retryable: true,
		},
		{
			name: "no error of AWS's form", status: 502,
			body:      `<html>`,
			want:      Error{Status: 502, Code: "UnknownError", Message: "Bad Gateway"},
			retryable: true,
		},
		{
			name: "accepted is no answer", status: 202,
			want: Error{Status: 202, Code: "UnknownError", Message: "Accepted"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if tt.errorType != "" {
					w.Header().Set("x-amzn-errortype", tt.errorType)
				}
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			_, err := NewClient(server.URL, server.Client()).Invoke(t.Context(), "PingFunction", []byte(`{}`))
			got, ok := errors.AsType[*Error](err)
			tt.want.Function = "PingFunction"
			if !ok || *got != tt.want || got.Retryable() != tt.retryable {
				t.Errorf("Invoke = %#v, want %#v, retryable: %v", err, tt.want, tt.retryable)
			}
		})
	}
}

// sam local start-lambda answers without request ids, in chunks and with its own spacing; it takes logical ids alone.
func TestClientTakesStartLambdaForLambda(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/2015-03-31/functions/PingFunction/invocations" || r.URL.RawQuery != "" || r.Header.Get("X-Amz-Log-Type") != "" {
			t.Errorf("request for %s", r.URL)
		}
		w.Header().Set("x-amz-function-error", "Unhandled")
		_, _ = w.Write([]byte(`{"errorMessage": "boom", `))
		w.(http.Flusher).Flush()
		_, _ = w.Write([]byte(`"errorType": "errorString"}`))
	}))
	defer server.Close()
	got, err := NewClient(server.URL+"/", server.Client()).Invoke(t.Context(), "PingFunction", []byte(`{}`))
	if err != nil || got.RequestID != "" || got.FunctionError != "Unhandled" || string(got.Payload) != `{"errorMessage": "boom", "errorType": "errorString"}` {
		t.Errorf("Invoke = %+v, %v", got, err)
	}
}

func TestClientBoundsTheAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat("x", maxResponse)))
		_, _ = w.Write([]byte("x"))
	}))
	defer server.Close()
	_, err := NewClient(server.URL, server.Client()).Invoke(t.Context(), "PingFunction", []byte(`{}`))
	if err == nil || !strings.Contains(err.Error(), "longer than 6291556 bytes") {
		t.Errorf("Invoke = %v", err)
	}
}

func TestClientWithoutAnEndpoint(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "http://" + listener.Addr().String()
	_ = listener.Close()
	_, err = NewClient(endpoint, nil).Invoke(t.Context(), "PingFunction", nil)
	if e, ok := errors.AsType[*Error](err); !ok || e.Status != 0 || e.Code != "EndpointUnreachable" || !e.Retryable() {
		t.Errorf("Invoke = %v, want an unreachable endpoint", err)
	}
	if _, err = NewClient("http://[", nil).Invoke(t.Context(), "PingFunction", nil); err == nil {
		t.Error("Invoke of a bad endpoint succeeded")
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = NewClient(endpoint, nil).Invoke(ctx, "PingFunction", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Invoke = %v, want context.Canceled", err)
	}
}
