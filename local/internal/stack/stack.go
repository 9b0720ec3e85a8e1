// Package stack puts the local AWS together: it reads a template, builds and runs its functions, and serves every API on one port.
//
// Guarantees:
//   - Everything it starts, processes and goroutines, has ended when Close returns; a stack that is killed leaves no process
//     behind.
//   - A stack that can't start says why in one line and leaves nothing running.
package stack

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/purposepath/realtime/local/internal/bus"
	"github.com/purposepath/realtime/local/internal/clock"
	"github.com/purposepath/realtime/local/internal/fault"
	"github.com/purposepath/realtime/local/internal/gateway"
	"github.com/purposepath/realtime/local/internal/lambda"
	"github.com/purposepath/realtime/local/internal/product"
	"github.com/purposepath/realtime/local/internal/queue"
	"github.com/purposepath/realtime/local/internal/table"
	"github.com/purposepath/realtime/local/internal/template"
)

// Placeholder is what samconfig.toml says for the stack's own URL: it is true for port 5055, and for another the stack puts its own
// in its place.
const Placeholder = "http://localhost:5055"

// closeWithin bounds an orderly end: sockets told, $disconnect run, invocations ended.
const closeWithin = 5 * time.Second

// Config says what to run.
type Config struct {
	Dir         string // holds template.yaml, samconfig.toml, events/ and local/engine
	Template    string // of the stack; "" = samconfig.toml's, else template.yaml
	Environment string // section of samconfig.toml; "" = local
	Overrides   map[string]string
	Address     string // host:port to listen on; port 0 takes a free one
	BuildDir    string // gets the functions; "" = .build/functions below Dir
	Engine      string // URL of a DynamoDB of the user's own; "" = the embedded one
	Lambda      string // URL of another Lambda Invoke API; "" = the built-in runtime
	Clock       *clock.Clock
	Log         func(lambda.Line)    // takes every line of the functions and of the stack
	Progress    func(message string) // says what takes time; may be nil
}

// A Stack is running.
type Stack struct {
	Template *template.Stack
	Issuer   *product.Issuer // nil for an application of another kind
	URL      string          // http://localhost:port
	Faults   fault.Faults    // what fails on demand

	cfg      Config
	server   *http.Server
	listener net.Listener
	engine   *table.Engine
	runtime  *lambda.Runtime
	gateway  *gateway.Gateway
	queues   *queue.Queues
	bus      *bus.Bus

	stop    context.CancelFunc
	running sync.WaitGroup
	failed  chan error
	closing sync.Once
}

// Start brings everything up and returns when it is ready for the first client.
func Start(ctx context.Context, cfg Config) (_ *Stack, err error) {
	s := &Stack{cfg: cfg, failed: make(chan error, 2)}
	if s.cfg.Progress == nil {
		s.cfg.Progress = func(string) {}
	}
	if s.cfg.Dir, err = filepath.Abs(cfg.Dir); err != nil {
		return nil, fmt.Errorf("folder %s: %w", cfg.Dir, err)
	}
	// The port comes first: a stack that runs already is the likeliest reason to fail, and shows at once.
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Address); err != nil {
		return nil, listenError(cfg.Address, err)
	}
	_, port, _ := net.SplitHostPort(s.listener.Addr().String())
	s.URL = "http://localhost:" + port
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err := s.load(); err != nil {
		return nil, err
	}
	if err := s.startFunctions(ctx); err != nil {
		return nil, err
	}
	if err := s.startServices(ctx); err != nil {
		return nil, err
	}
	s.serve()
	if s.runtime != nil {
		if err := s.runtime.Warm(ctx); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func listenError(address string, err error) error {
	if strings.Contains(err.Error(), "address already in use") {
		_, port, _ := net.SplitHostPort(address)
		return fmt.Errorf("port %s is in use: end what listens there (is a stack running already?), or choose another with PORT=5056 make run", port)
	}
	return fmt.Errorf("listen on %s: %w", address, err)
}

// load reads template and samconfig.
func (s *Stack) load() error {
	environment := s.cfg.Environment
	if environment == "" {
		environment = "local"
	}
	config, err := template.LoadConfig(filepath.Join(s.cfg.Dir, "samconfig.toml"), environment, "local_invoke")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	path := s.cfg.Template
	if path == "" {
		path = config.Template
	}
	if path == "" {
		path = filepath.Join(s.cfg.Dir, "template.yaml")
	}
	overrides := map[string]string{}
	for _, source := range []map[string]string{config.Overrides, s.cfg.Overrides} {
		for name, value := range source {
			overrides[name] = strings.ReplaceAll(value, Placeholder, s.URL)
		}
	}
	if s.Template, err = template.Load(path, template.Options{Region: config.Region, Overrides: overrides}); err != nil {
		return err
	}
	for _, note := range s.Template.Notes {
		s.logger("template").Warn(note)
	}
	switch len(s.Template.APIs) {
	case 0:
		return fmt.Errorf("%s: there is no WebSocket API in it", path)
	case 1:
		return nil
	default:
		return fmt.Errorf("%s: there are %d WebSocket APIs in it; the stack runs one", path, len(s.Template.APIs))
	}
}

func (s *Stack) startFunctions(ctx context.Context) error {
	if s.cfg.Lambda != "" {
		return nil
	}
	dir := s.cfg.BuildDir
	if dir == "" {
		dir = filepath.Join(s.cfg.Dir, ".build", "functions")
	}
	s.cfg.Progress(fmt.Sprintf("building %d functions", len(s.Template.Functions)))
	if err := lambda.Build(ctx, s.Template.Functions, lambda.BuildOptions{Dir: dir}); err != nil {
		return err
	}
	s.runtime = lambda.New(lambda.Config{
		Functions: s.Template.Functions, Region: s.Template.Region, Dir: dir, Log: s.cfg.Log,
		Async: func(function string, payload []byte) { s.bus.Async(function, payload) },
	})
	return nil
}

func (s *Stack) startServices(ctx context.Context) (err error) {
	t, region := s.Template, s.Template.Region
	endpoint := s.cfg.Lambda
	if endpoint == "" {
		endpoint = "http://" + s.listener.Addr().String()
	}
	invoker := lambda.NewClient(endpoint, nil)
	s.engine, err = table.Start(ctx, table.Config{
		Tables: t.Tables, Endpoint: s.cfg.Engine, EngineDir: filepath.Join(s.cfg.Dir, "local", "engine"), Log: s.logger("tables"),
	})
	if err != nil {
		return err
	}
	s.queues, err = queue.New(queue.Config{
		Queues: t.Queues, Mappings: t.Mappings, Invoker: invoker, Clock: s.cfg.Clock, Log: s.logger("queue"), Region: region, AccountID: template.AccountID,
	})
	if err != nil {
		return err
	}
	s.bus, err = bus.New(bus.Config{
		Buses: t.Buses, Rules: t.Rules, Schedules: t.Schedules, Functions: t.Functions, Invoker: invoker, Queues: s.queues,
		Clock: s.cfg.Clock, Log: s.logger("bus"), Region: region, AccountID: template.AccountID,
	})
	if err != nil {
		return err
	}
	s.gateway, err = gateway.New(gateway.Config{API: t.APIs[0], Invoker: invoker, Clock: s.cfg.Clock, Log: s.logger("gateway")})
	if err != nil {
		return err
	}
	s.Issuer, err = product.NewIssuer(t.Parameters, s.cfg.Clock)
	if errors.Is(err, product.ErrNoIssuer) {
		return nil
	}
	return err
}

// serve begins to answer, and to hand events and messages to functions.
func (s *Stack) serve() {
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.server = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(s.logger("http").Handler(), slog.LevelWarn),
	}
	s.running.Go(func() {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("the stack's port: %w", err)
		}
	})
	s.running.Go(func() { s.queues.Run(ctx) })
	s.running.Go(func() { s.bus.Run(ctx) })
	s.running.Go(func() {
		select {
		case <-s.engine.Done():
			if err := s.engine.Err(); err != nil {
				s.failed <- err
			}
		case <-ctx.Done():
		}
	})
}

// Failed yields what the stack can't go on without, should it end by itself.
func (s *Stack) Failed() <-chan error { return s.failed }

// Close ends everything, clients first, so that $disconnect still runs, and the tables last.
func (s *Stack) Close() {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		if s.gateway != nil {
			_ = s.gateway.Close(ctx) // says in the log what it cut off
		}
		if s.stop != nil {
			s.stop()
		}
		if s.bus != nil {
			_ = s.bus.Close(ctx)
		}
		if s.queues != nil {
			s.queues.Close()
		}
		if s.runtime != nil {
			_ = s.runtime.Close()
		}
		if s.server != nil {
			_ = s.server.Close()
		} else {
			_ = s.listener.Close()
		}
		if s.engine != nil {
			_ = s.engine.Close()
		}
		s.running.Wait()
	})
}

// WebSocketURL is where clients connect.
func (s *Stack) WebSocketURL() string { return "ws" + strings.TrimPrefix(s.URL, "http") }

// Bus is the event bus that domain services put events on: the template's own, or the one its rules listen to.
func (s *Stack) Bus() string {
	for _, rule := range s.Template.Rules {
		if rule.Pattern != nil {
			return rule.Bus
		}
	}
	return "default"
}

// Connections are those open now.
func (s *Stack) Connections() []gateway.Info { return s.gateway.Connections() }
