package conformance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	chaos       = flag.Duration("chaos", 0, "how long TestChaos puts events, with faults, kills of functions and of the tables' engine; 0 leaves it out")
	chaosSeed   = flag.Uint64("chaos-seed", 1, "seed of its faults, kills and drops")
	chaosPython = flag.String("chaos-python", "", "Python with websockets and boto3, for the clients of conformance/foreign/chaos.py (`make chaos` installs it)")
	chaosReport = flag.String("chaos-report", "", "file that gets the report too")
)

// chaosSpeed is that of the stack's clock: what a killed pusher had in hand comes back after 30 seconds instead of two minutes, which is
// as long as it may run.
const chaosSpeed = 4

// killed are the functions that are ended by kill -9, each as often as it is listed.
func killed() []string {
	return []string{"PusherFunction", "BroadcasterFunction", "AuthFunction", "PingFunction", "ConnectFunction", "DisconnectFunction", "SweeperFunction", "UnroutedFunction", "BroadcasterFunction", "AuthFunction"}
}

// TestChaos is the load of TestSoak while a fault strikes every second, a function is killed every two and the tables' engine, which keeps its
// tables on disk, every ten. Beside the clients in Go there is one in Python for each tenant. Nothing may be lost, doubled, out of order, or
// another tenant's.
func TestChaos(t *testing.T) {
	if *chaos == 0 {
		t.Skip("make chaos runs it")
	}
	random := rand.New(rand.NewPCG(*chaosSeed, 0))
	engine := startEngine(t)
	s, pid := startProgram(t, "--speed", strconv.Itoa(chaosSpeed), "--dynamodb-endpoint", engine.url)
	ctx, cancel := context.WithTimeout(t.Context(), *chaos)
	defer cancel()
	began := time.Now()
	l := startLoad(ctx, t, s, *chaosSeed)
	var foreign []*pythonClient
	if *chaosPython != "" {
		for tenant := range loadTenants {
			name := loadTenant(tenant)
			foreign = append(foreign, startPython(t, l, name))
		}
	}
	count := map[string]int{} // by what struck
	faults, functions := soakFaults(), killed()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for second := 1; ctx.Err() == nil; second++ {
		select {
		case <-ctx.Done():
		case <-tick.C:
			s.NoFaults(t) // one that met no call in its second is not to pile up with others
			fault := faults[random.IntN(len(faults))]
			s.Fault(t, fault)
			count[faultName(t, fault)]++
			if second%2 == 0 {
				name := functions[random.IntN(len(functions))]
				count["kill -9 of "+name] += killFunction(t, pid, name)
			}
			if second%10 == 0 {
				engine.kill(t)
				count["kill -9 of the tables' engine"]++
				engine.start(t)
			}
		}
	}
	s.NoFaults(t)
	l.finish()
	for i, p := range foreign {
		p.finish(t, l.finals[i].Load())
	}
	report := chaosPage(l, count, time.Since(began), memory(pid), len(foreign))
	t.Log(report)
	if *chaosReport != "" && !t.Failed() {
		if err := os.WriteFile(*chaosReport, []byte(report), 0o644); err != nil {
			t.Error(err)
		}
	}
}

// chaosPage is what a run was like, as Markdown.
func chaosPage(l *load, count map[string]int, took time.Duration, memory string, foreign int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "Seed %d, events put for %v, everything there after %v; %s.\n\n", *chaosSeed, *chaos, took.Round(time.Second), memory)
	fmt.Fprintf(&b, "| | |\n|---|---|\n| events put | %d, of %d tenants |\n| clients | %d in Go, %d in Python |\n| handed to subscribers | %d |\n", l.put.Load(), loadTenants, loadTenants*loadClients, foreign, l.delivered.Load())
	fmt.Fprintf(&b, "| connections authenticated | %d |\n| came again and were dropped by their position | %d |\n| lost, doubled, out of order, another tenant's | %d |\n| auth without any answer | %d |\n", l.opened.Load(), l.repeats.Load(), l.broken.Load(), l.silences.Load())
	for _, name := range slices.Sorted(maps.Keys(count)) {
		fmt.Fprintf(&b, "| %s | %d |\n", name, count[name])
	}
	return b.String()
}

func faultName(t *testing.T, fault string) string {
	var f struct{ Target, Match, Answer string }
	if err := json.Unmarshal([]byte(fault), &f); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(fmt.Sprintf("fault: %s %s %s", f.Target, f.Match, f.Answer))
}

// killFunction ends all processes of a function as the kernel does when memory runs out, and returns how many there were.
func killFunction(t *testing.T, stack int, name string) int {
	out, err := exec.Command("ps", "-Ao", "pid=,ppid=,args=").Output()
	if err != nil {
		t.Fatalf("ps: %v", err)
	}
	count := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[1] != strconv.Itoa(stack) || !strings.HasSuffix(fields[2], "/"+name+"/bootstrap") {
			continue
		}
		process, err := strconv.Atoi(fields[0])
		if err != nil {
			t.Fatalf("ps: %q", line)
		}
		if syscall.Kill(process, syscall.SIGKILL) == nil {
			count++
		}
	}
	return count
}

// An engineProcess is the embedded DynamoDB with its tables on disk, as a process that the test may kill.
type engineProcess struct {
	binary, port, url, file string
	cmd                     *exec.Cmd
}

func startEngine(t *testing.T) *engineProcess {
	t.Helper()
	found, _ := filepath.Glob("../local/engine/node_modules/@dynoxide/*/dynoxide")
	if len(found) == 0 {
		t.Fatal("the embedded DynamoDB is not installed: run make engine")
	}
	port := freePort(t)
	e := &engineProcess{binary: found[0], port: port, url: "http://127.0.0.1:" + port, file: filepath.Join(t.TempDir(), "tables.db")}
	e.start(t)
	t.Cleanup(func() { e.kill(t) })
	return e
}

// start returns once the engine listens.
func (e *engineProcess) start(t *testing.T) {
	t.Helper()
	e.cmd = exec.Command(e.binary, "--host", "127.0.0.1", "--port", e.port, "--db-path", e.file)
	if err := e.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", "127.0.0.1:"+e.port)
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the engine does not listen: %v", err)
		}
	}
}

func (e *engineProcess) kill(t *testing.T) {
	t.Helper()
	if err := e.cmd.Process.Kill(); err != nil {
		t.Fatalf("the engine had ended by itself: %v", err)
	}
	_ = e.cmd.Wait()
}

// A pythonClient is conformance/foreign/chaos.py: it prints each event that it hands on.
type pythonClient struct {
	cmd    *exec.Cmd
	errors *strings.Builder
	stdin  interface{ Close() error }
	done   chan struct{}

	mu     sync.Mutex
	checks *witness
	count  int64
}

func startPython(t *testing.T, l *load, tenant string) *pythonClient {
	t.Helper()
	p := &pythonClient{errors: &strings.Builder{}, done: make(chan struct{}), checks: &witness{load: l, tenant: tenant, seen: map[string]int64{}}}
	p.cmd = exec.Command(*chaosPython, "foreign/chaos.py")
	p.cmd.Env = append(os.Environ(), "STACK_URL="+l.stack.URL, "TOKEN="+l.stack.Token(t, tenant, "python", 1000*time.Hour))
	p.cmd.Stderr = p.errors
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	ready := make(chan struct{})
	go func() {
		defer close(p.done)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			var m message
			if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
				t.Errorf("python: %s", lines.Text())
				continue
			}
			p.mu.Lock()
			switch {
			case m.Type == "ready":
				p.checks.next = m.Sequence + 1
				close(ready)
			case m.Type == "lost":
				l.breaks(t, "python of %s: told that not all can be had", tenant)
			default:
				p.checks.take(t, m)
				p.count++
			}
			p.mu.Unlock()
		}
	}()
	select {
	case <-ready:
	case <-p.done:
		t.Fatalf("python ended: %s", p.errors)
	case <-time.After(patience):
		t.Fatalf("python is not ready after %v", patience)
	}
	return p
}

// finish waits until the client has the tenant's last number, and ends it.
func (p *pythonClient) finish(t *testing.T, final int64) {
	t.Helper()
	for deadline := time.Now().Add(drains); ; time.Sleep(50 * time.Millisecond) {
		p.mu.Lock()
		last := p.checks.next - 1
		p.mu.Unlock()
		if last == final {
			break
		}
		if time.Now().After(deadline) {
			p.checks.load.breaks(t, "python of %s: ends with number %d of %d", p.checks.tenant, last, final)
			break
		}
	}
	_ = p.stdin.Close()
	<-p.done
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("python of %s: %v: %s", p.checks.tenant, err, p.errors)
	}
	p.checks.load.delivered.Add(p.count)
}
