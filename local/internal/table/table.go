// Package table is the stack's DynamoDB: it starts the embedded engine (dynoxide, an npm package), creates the template's
// tables in it and passes DynamoDB's JSON protocol on to it.
//
// Guarantees:
//   - The engine listens on 127.0.0.1 only and keeps its tables in memory, unless a folder is named.
//   - Nobody talks to an engine that this stack did not start: its port is believed only after our own process said that it
//     listens there, and not after that process ended.
//   - The engine ends with the stack, however the stack ends; Ctrl-C in the terminal reaches it through [Engine.Close] alone.
//   - Requests need no signature: the stack vouches for all of them with one pair of credentials, so that every client sees
//     the same tables, also in an engine that keeps them apart by access key and Region.
//
// What the engine does otherwise than DynamoDB: it never deletes expired items (TTL can be set and read back, and DynamoDB
// itself takes up to two days), it never answers TransactionConflictException, and tables are ACTIVE at once.
//
// The caller starts it before the functions, watches [Engine.Done], and closes it after them.
package table

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"

	"github.com/purposepath/realtime/local/internal/template"
)

// Config says which tables to serve, and from where.
type Config struct {
	Tables    []template.Table
	Endpoint  string // URL of the user's own DynamoDB endpoint; empty: the embedded engine
	EngineDir string // the folder local/engine
	DataDir   string // where the embedded engine keeps its tables between runs; empty: in memory
	Log       *slog.Logger
}

// An Engine is a running DynamoDB with the template's tables. It is an http.Handler for DynamoDB's API.
type Engine struct {
	upstream *upstream
	process  *process // nil with an endpoint of the user's
	done     chan struct{}
	closing  sync.Once
	bodies   sync.Pool // of *bytes.Buffer, for requests
	log      *slog.Logger
}

// Start returns an engine that has all tables, or an error of one line that says what to do. Its ctx bounds the start only.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	return start(ctx, cfg, freePort)
}

func start(ctx context.Context, cfg Config, port func() (int, error)) (*Engine, error) {
	e := &Engine{log: cfg.Log, done: make(chan struct{})}
	endpoint := cfg.Endpoint
	if endpoint == "" {
		binary, err := Find(cfg.EngineDir)
		if err != nil {
			return nil, err
		}
		if e.process, err = launch(ctx, binary, cfg.DataDir, port, cfg.Log); err != nil {
			return nil, fmt.Errorf("start the embedded DynamoDB: %w", err)
		}
		e.done, endpoint = e.process.done, e.process.url
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("DynamoDB endpoint %q: is not a URL such as http://127.0.0.1:8000", endpoint)
	}
	e.upstream = newUpstream(u, e.done)
	for _, t := range cfg.Tables {
		if err := e.create(ctx, t); err != nil {
			return nil, errors.Join(fmt.Errorf("create table %s at %s: %w", t.Name, u, err), e.Close())
		}
	}
	return e, nil
}

// URL is the engine's own address, for a look at it without the stack in between.
func (e *Engine) URL() string { return e.upstream.url.String() }

// Done is closed when the engine has ended: by Close, or by itself, which Err tells apart. With an endpoint of the user's
// it is closed by Close alone.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err says why the engine ended by itself; nil while it runs and when Close ended it.
func (e *Engine) Err() error {
	select {
	case <-e.done:
	default:
		return nil
	}
	if e.process == nil || e.process.err == nil {
		return nil
	}
	return fmt.Errorf("the embedded DynamoDB ended: %w", e.process.err)
}

// Close ends the engine, waits until it is gone, and frees its connections. It may be called more than once.
func (e *Engine) Close() error {
	e.closing.Do(func() {
		e.upstream.closeIdle()
		if e.process != nil {
			e.process.stop()
		} else {
			close(e.done)
		}
		e.upstream.closeIdle()
	})
	return nil
}
