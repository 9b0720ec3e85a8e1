package conformance_test

import (
	"context"
	"flag"
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

var (
	soak      = flag.Duration("soak", 3*time.Second, "how long TestSoak puts events, with a fault every second")
	soakSpeed = flag.Float64("soak-speed", 30, "speed of the stack's clock, so that retries after minutes take seconds; 1 for a true one")
	soakSeed  = flag.Uint64("soak-seed", 1, "seed of its faults and drops")
)

// Load of the soak.
const (
	soakTenants = 4
	soakClients = 3 // a tenant's
	soakPerTick = 2 // events of a tenant
	soakTick    = 200 * time.Millisecond
)

// soakFaults are those that strike, one a second.
func soakFaults() []string {
	var list []string
	for _, answer := range []string{"throttle", "conflict", "error", "lose", "drop"} {
		list = append(list, fmt.Sprintf(`{"target":"table","match":"TransactWriteItems","answer":%q,"times":3}`, answer))
	}
	for _, answer := range []string{"throttle", "error", "lose", "drop"} {
		list = append(list, fmt.Sprintf(`{"target":"table","answer":%q,"times":2}`, answer), fmt.Sprintf(`{"target":"queue","answer":%q,"times":2}`, answer))
	}
	for _, answer := range []string{"410", "429", "500", "vanish", "hang", "lose", "drop"} {
		list = append(list, fmt.Sprintf(`{"target":"connections","match":"POST","answer":%q}`, answer))
	}
	// Not the pusher's: its batch then waits for its visibility, two minutes, and one a second would leave no tenant that does not. It has
	// one every three minutes.
	for _, function := range []string{"BroadcasterFunction", "AuthFunction", "PingFunction", "ConnectFunction", "DisconnectFunction"} {
		for _, answer := range []string{"panic", "throttle", "kill", "lose"} {
			list = append(list, fmt.Sprintf(`{"target":"function","match":%q,"answer":%q,"delayMs":%d}`, function, answer, len(list)%7))
		}
	}
	return list
}

// TestSoak puts events of several tenants while clients drop and return and a fault strikes every second, against a stack of its own
// process. Nothing may be lost: each client ends with every number of its tenant, and each put event has one.
//
//	go test ./conformance -run TestSoak -soak 1h -soak-speed 1 -timeout 90m -v
func TestSoak(t *testing.T) {
	t.Parallel()
	s, pid := startProgram(t)
	ctx, cancel := context.WithTimeout(t.Context(), *soak)
	defer cancel()
	random := rand.New(rand.NewPCG(*soakSeed, 0))
	var put atomic.Int64
	stop := make(chan struct{}) // closed when nothing is put any more, so that clients may end once they have all
	var clients, producers sync.WaitGroup
	began := time.Now()
	t.Logf("seed %d, %d tenants of %d clients, %.0f events/s", *soakSeed, soakTenants, soakClients, float64(soakTenants*soakPerTick)/soakTick.Seconds())
	finals := make([]atomic.Int64, soakTenants)
	for tenant := range soakTenants {
		name := fmt.Sprint("soak-", tenant)
		for user := range soakClients {
			c := newClient(t, s, name, fmt.Sprint("user-", user), []string{"[]", `["batch"]`}[user%2])
			c.token = s.Token(t, name, fmt.Sprint("user-", user), 1000*time.Hour) // on the stack's clock
			w := &edgeWorld{stack: s, tenant: name, client: c, service: newService(t, s)}
			w.socket = c.connect()
			if first := c.position; user == 0 {
				finals[tenant].Store(first)
			}
			own := rand.New(rand.NewPCG(*soakSeed, uint64(tenant*soakClients+user+1)))
			clients.Go(func() { soakClient(t, w, own, &finals[tenant], stop) })
		}
		producers.Go(func() { soakProducer(ctx, t, s, name, &put, &finals[tenant]) })
	}
	faults := soakFaults()
	report := time.NewTicker(max(*soak/10, time.Second))
	defer report.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	struckFaults := 0
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			s.NoFaults(t) // one that met no call in its second is not to pile up with others
			fault := faults[random.IntN(len(faults))]
			if struckFaults%180 == 179 {
				fault = fmt.Sprintf(`{"target":"function","match":"PusherFunction","answer":%q}`, []string{"panic", "kill", "lose"}[random.IntN(3)])
			}
			s.Fault(t, fault)
			struckFaults++
		case <-report.C:
			t.Logf("%v: %d events put, %d faults, memory %s", time.Since(began).Round(time.Second), put.Load(), struckFaults, memory(pid))
		case <-ctx.Done():
		}
	}
	s.NoFaults(t)
	producers.Wait()
	close(stop)
	clients.Wait()
	t.Logf("%d events to %d clients, %d faults, all there after %v; memory %s", put.Load(), soakTenants*soakClients, struckFaults, time.Since(began).Round(time.Second), memory(pid))
}

// soakProducer puts events until ctx ends, and adds them to the number that the tenant's log must end with.
func soakProducer(ctx context.Context, t *testing.T, s *localtest.Stack, tenant string, put, final *atomic.Int64) {
	domain := newService(t, s)
	ticker := time.NewTicker(soakTick)
	defer ticker.Stop()
	for i := 0; ; i += soakPerTick {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		ids := make([]string, soakPerTick)
		for j := range ids {
			ids[j] = fmt.Sprintf("%s-%d", tenant, i+j)
		}
		domain.put(tenant, ids...)
		put.Add(soakPerTick)
		final.Add(soakPerTick)
	}
}

// soakClient receives, drops and returns, until it has the tenant's last number after stop.
func soakClient(t *testing.T, w *edgeWorld, random *rand.Rand, final *atomic.Int64, stop <-chan struct{}) {
	c := w.client
	seen := map[string]int64{} // ids that a subscriber was given
	next := c.position + 1
	drop := time.Now().Add(time.Duration(5+random.IntN(30)) * time.Second)
	var deadline time.Time
	for {
		w.receive()
		for _, m := range c.events {
			if m.Sequence != next {
				t.Errorf("%s: number %d follows %d", w.tenant, m.Sequence, next-1)
			}
			if number, twice := seen[m.EventID]; twice {
				t.Errorf("%s: %s has the numbers %d and %d", w.tenant, m.EventID, number, m.Sequence)
			}
			if m.TenantID != w.tenant {
				t.Errorf("%s got an event of %s", w.tenant, m.TenantID)
			}
			seen[m.EventID] = m.Sequence
			next++
		}
		c.events = c.events[:0]
		if c.lost {
			t.Errorf("%s: told that not all can be had", w.tenant)
			return
		}
		select {
		case <-stop:
			if deadline.IsZero() {
				deadline = time.Now().Add(6 * time.Minute) // Lambda's two retries take three
			}
			if next-1 == final.Load() {
				return
			}
			if time.Now().After(deadline) {
				t.Errorf("%s: ends with number %d of %d", w.tenant, next-1, final.Load())
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
func startProgram(t *testing.T) (*localtest.Stack, int) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "rtlocal")
	if out, err := exec.Command("go", "build", "-o", binary, "../local").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.Addr().String())
	_ = free.Close()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "run", "--dir", "..", "--port", port, "--speed", fmt.Sprint(*soakSpeed))
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

// memory is the resident memory of the stack, and that of all its children together, where /proc tells.
func memory(pid int) string {
	own := resident(strconv.Itoa(pid))
	if own == 0 {
		return "not measured here"
	}
	below, count := 0, 0
	for open := []string{strconv.Itoa(pid)}; len(open) > 0; open = open[1:] {
		tasks, _ := filepath.Glob("/proc/" + open[0] + "/task/*/children")
		for _, task := range tasks {
			list, _ := os.ReadFile(task)
			for _, child := range strings.Fields(string(list)) {
				below, count, open = below+resident(child), count+1, append(open, child)
			}
		}
	}
	return fmt.Sprintf("stack %d MB, %d children %d MB", own>>10, count, below>>10)
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
