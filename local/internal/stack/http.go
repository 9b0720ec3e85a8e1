package stack

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/purposepath/realtime/local/internal/fault"
	"github.com/purposepath/realtime/local/internal/product"
)

// handler sends each request to its service: AWS's SDKs name it in X-Amz-Target, or by the path.
func (s *Stack) handler() http.Handler {
	own := s.ownPages()
	tables := s.Faults.Before("table", s.engine, fault.TableCall, nil)
	queues := s.Faults.Before("queue", s.queues, fault.QueueCall, nil)
	connections := s.Faults.Before("connections", s.gateway, fault.ConnectionCall, nil)
	functions := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "functions run elsewhere: "+s.cfg.Lambda, http.StatusNotFound)
	}))
	if s.runtime != nil {
		functions = s.Faults.Before("function", s.runtime, fault.FunctionCall, func(name string) { s.runtime.Kill(name) })
	}
	service := func(r *http.Request) http.Handler {
		target, _, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		switch {
		case strings.HasPrefix(target, "DynamoDB"):
			return tables
		case target == "AmazonSQS":
			return queues
		case target == "AWSEvents":
			return s.bus
		case strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/"):
			return functions
		case strings.Contains(r.URL.Path, "/@connections/"):
			return connections
		case strings.HasPrefix(r.URL.Path, "/_"):
			return own
		}
		return nil
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch to := service(r); {
		case to == nil: // whose sockets may open is for $connect to say
			s.gateway.ServeHTTP(w, r)
		case foreignPage(r):
			http.Error(w, "the stack answers to programs and to pages of localhost only", http.StatusForbidden)
		default:
			to.ServeHTTP(w, r)
		}
	})
}

// Info is what the stack's commands ask of it.
type Info struct {
	WebSocketURL string `json:"webSocketUrl"`
	EventBus     string `json:"eventBus"`
	Stage        string `json:"stage"`
	// Connection is the newest open one, "" where there is none: for `rtlocal event`.
	Connection string `json:"connection,omitempty"`
}

// ownPages are those that AWS does not have. Only this machine's pages and programs may read them, and under no other name than the
// machine's own: a page of elsewhere could get itself a token.
func (s *Stack) ownPages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /_health", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /_local/info", func(w http.ResponseWriter, _ *http.Request) {
		info := Info{WebSocketURL: s.WebSocketURL(), EventBus: s.Bus(), Stage: s.Template.APIs[0].Stage}
		newest := int64(0)
		for _, c := range s.Connections() {
			if at := c.ConnectedAt.UnixNano(); at > newest {
				newest, info.Connection = at, c.ID
			}
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(info) // the reader may have gone
	})
	mux.Handle("/_local/faults", &s.Faults)
	if s.Issuer != nil {
		mux.HandleFunc("GET /_local/issuer"+product.KeyPath, s.Issuer.ServeKeys)
		mux.HandleFunc("GET /_local/token", s.Issuer.ServeToken)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		if !loopback(host) {
			http.Error(w, "the stack's own pages answer to localhost only", http.StatusForbidden)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" { // of this machine: see foreignPage
			w.Header().Set("Access-Control-Allow-Origin", origin)
			w.Header().Add("Vary", "Origin")
			if r.Method == http.MethodOptions {
				w.Header().Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
				w.Header().Set("Access-Control-Allow-Headers", "*")
				w.WriteHeader(http.StatusNoContent)
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
}

// foreignPage says whether a browser sends this for a page of elsewhere. AWS's services stand here and check no signature: without this, a
// page that a developer happens to open could call a function with an event of its own, or, under a name that it points to this machine,
// read the tables. A browser names the page with every POST; programs name none.
func foreignPage(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	from, err := url.Parse(origin)
	return err != nil || !loopback(from.Hostname())
}

// loopback says whether a host name is this machine. host.docker.internal is how a container names it.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || host == "host.docker.internal" {
		return true
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return ip != nil && ip.IsLoopback()
}
