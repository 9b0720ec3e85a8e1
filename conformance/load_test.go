package conformance_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/localtest"
)

// Load of the soak and of chaos.
const (
	loadTenants = 4
	loadClients = 3 // a tenant's
	loadPerTick = 2 // events of a tenant
	loadTick    = 200 * time.Millisecond
)

// A load is tenants whose events are put at a steady rate, and their clients, which drop, return, and check what they get.
type load struct {
	stack     *localtest.Stack
	put       atomic.Int64
	delivered atomic.Int64 // to subscribers, all clients' together
	repeats   atomic.Int64 // frames' events that a position told to be old
	opened    atomic.Int64 // connections
	silences  atomic.Int64 // messages to auth without any answer, not even the gateway's
	broken    atomic.Int64 // promises: each is an error of the test too
	finals    []atomic.Int64
	stop      chan struct{} // closed when nothing is put any more, so that clients may end once they have all
	clients   sync.WaitGroup
	producers sync.WaitGroup
}

// breaks says what broke a promise, and counts it for the report.
func (l *load) breaks(t *testing.T, format string, args ...any) {
	t.Helper()
	l.broken.Add(1)
	t.Errorf(format, args...)
}

// A witness checks what one client hands on: each number once, in order, of its tenant, each event with one number.
type witness struct {
	load   *load
	tenant string
	next   int64
	seen   map[string]int64
}

func (w *witness) take(t *testing.T, m message) {
	if m.Sequence != w.next {
		w.load.breaks(t, "%s: number %d follows %d", w.tenant, m.Sequence, w.next-1)
	}
	if number, twice := w.seen[m.EventID]; twice {
		w.load.breaks(t, "%s: %s has the numbers %d and %d", w.tenant, m.EventID, number, m.Sequence)
	}
	if m.TenantID != w.tenant {
		w.load.breaks(t, "%s got an event of %s", w.tenant, m.TenantID)
	}
	w.seen[m.EventID] = m.Sequence
	w.next = m.Sequence + 1
}

// startLoad connects the clients and puts events until ctx ends.
func startLoad(ctx context.Context, t *testing.T, s *localtest.Stack, seed uint64) *load {
	t.Helper()
	l := &load{stack: s, finals: make([]atomic.Int64, loadTenants), stop: make(chan struct{})}
	t.Logf("seed %d, %d tenants of %d clients, %.0f events/s", seed, loadTenants, loadClients, float64(loadTenants*loadPerTick)/loadTick.Seconds())
	for tenant := range loadTenants {
		name := loadTenant(tenant)
		for user := range loadClients {
			c := newClient(t, s, name, fmt.Sprint("user-", user), []string{"[]", `["batch"]`}[user%2])
			c.token = s.Token(t, name, fmt.Sprint("user-", user), 1000*time.Hour) // on the stack's clock
			w := &edgeWorld{stack: s, tenant: name, client: c, service: newService(t, s)}
			w.socket = c.connect()
			if user == 0 {
				l.finals[tenant].Store(c.position)
			}
			own := rand.New(rand.NewPCG(seed, uint64(tenant*loadClients+user+1)))
			l.clients.Go(func() { l.client(t, w, own, &l.finals[tenant]) })
		}
		l.producers.Go(func() { l.producer(ctx, t, name, &l.finals[tenant]) })
	}
	return l
}

func loadTenant(i int) string { return fmt.Sprint("load-", i) }

// finish returns when every client has everything, or has said what it lacks.
func (l *load) finish() {
	l.producers.Wait()
	close(l.stop)
	l.clients.Wait()
}

// producer puts events until ctx ends, and adds them to the number that the tenant's log must end with.
func (l *load) producer(ctx context.Context, t *testing.T, tenant string, final *atomic.Int64) {
	domain := newService(t, l.stack)
	ticker := time.NewTicker(loadTick)
	defer ticker.Stop()
	for i := 0; ; i += loadPerTick {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		ids := make([]string, loadPerTick)
		for j := range ids {
			ids[j] = fmt.Sprintf("%s-%d", tenant, i+j)
		}
		domain.put(tenant, ids...)
		l.put.Add(loadPerTick)
		final.Add(loadPerTick)
	}
}

// drains is how long clients may take to have everything once nothing is put any more: Lambda's two retries take three minutes.
const drains = 6 * time.Minute

// client receives, drops and returns, until it has the tenant's last number after stop.
func (l *load) client(t *testing.T, w *edgeWorld, random *rand.Rand, final *atomic.Int64) {
	c := w.client
	defer func() {
		l.repeats.Add(int64(c.repeats))
		l.opened.Add(int64(c.opened))
		l.silences.Add(int64(c.silences))
	}()
	checks := &witness{load: l, tenant: w.tenant, next: c.position + 1, seen: map[string]int64{}}
	drop := time.Now().Add(time.Duration(5+random.IntN(30)) * time.Second)
	var deadline time.Time
	for {
		w.receive()
		for _, m := range c.events {
			checks.take(t, m)
		}
		l.delivered.Add(int64(len(c.events)))
		c.events = c.events[:0]
		if c.lost {
			l.breaks(t, "%s: told that not all can be had", w.tenant)
			return
		}
		select {
		case <-l.stop:
			if deadline.IsZero() {
				deadline = time.Now().Add(drains)
			}
			if checks.next-1 == final.Load() {
				return
			}
			if time.Now().After(deadline) {
				l.breaks(t, "%s: ends with number %d of %d", w.tenant, checks.next-1, final.Load())
				return
			}
		default:
		}
		if time.Now().After(drop) {
			drop = time.Now().Add(time.Duration(5+random.IntN(30)) * time.Second)
			_ = w.socket.conn.CloseNow()
		}
	}
}

// startProgram runs rtlocal as a process of its own on a free port, until the test ends.
func startProgram(t *testing.T, flags ...string) (*localtest.Stack, int) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "rtlocal")
	if out, err := exec.Command("go", "build", "-o", binary, "../local").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	port := freePort(t)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, append([]string{"run", "--dir", "..", "--port", port}, flags...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		_ = log.Close()
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		said, _ := os.ReadFile(log.Name())
		if strings.Contains(string(said), "Ctrl-C ends everything") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the stack is not ready; it said:\n%s", said)
		}
	}
	s, err := localtest.Attach(t.Context(), "http://localhost:"+port)
	if err != nil {
		t.Fatal(err)
	}
	return s, cmd.Process.Pid
}

func freePort(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	_, port, _ := net.SplitHostPort(free.Addr().String())
	return port
}

// memory is the resident memory of the stack, of its functions, and of the tables' engine, which holds every event for a day, where /proc
// tells.
func memory(pid int) string {
	own := resident(strconv.Itoa(pid))
	if own == 0 {
		return "not measured here"
	}
	functions, count, engine := 0, 0, 0
	for open := []string{strconv.Itoa(pid)}; len(open) > 0; open = open[1:] {
		tasks, _ := filepath.Glob("/proc/" + open[0] + "/task/*/children")
		for _, task := range tasks {
			list, _ := os.ReadFile(task)
			for _, child := range strings.Fields(string(list)) {
				open = append(open, child)
				switch name, _ := os.ReadFile("/proc/" + child + "/comm"); strings.TrimSpace(string(name)) {
				case "bootstrap":
					functions, count = functions+resident(child), count+1
				case "dynoxide":
					engine += resident(child)
				}
			}
		}
	}
	return fmt.Sprintf("stack %d MB, %d functions %d MB, tables %d MB", own>>10, count, functions>>10, engine>>10)
}

// resident is a process's VmRSS in kB.
func resident(pid string) int {
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kB, _ := strconv.Atoi(fields[0])
	return kB
}
