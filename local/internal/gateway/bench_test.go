package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/purposepath/realtime/local/internal/gateway"
	"github.com/purposepath/realtime/local/internal/lambda"
)

// The benchmarks run the gateway in a process of its own (this binary once more), so that figures are the gateway's
// alone and not those of their clients.
const benchmarkServer = "GATEWAY_BENCHMARK_SERVER"

// figures are what the server's process has used so far.
type figures struct {
	CPU      time.Duration // user and system
	Resident int           // bytes, after garbage collection; 0 where the system does not tell
	Live     int           // bytes of heap and stacks in use
}

type nothing struct{}

func (nothing) Invoke(context.Context, string, []byte) (lambda.Result, error) {
	return respond(200, ""), nil
}

// serveBenchmark is the server's main, and false in every other process.
func serveBenchmark() bool {
	if os.Getenv(benchmarkServer) == "" {
		return false
	}
	g, err := gateway.New(gateway.Config{
		API: chat(), Invoker: nothing{}, Log: slog.New(slog.DiscardHandler), ConnectRate: -1, RequestRate: -1,
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", g)
	mux.HandleFunc("/ids", func(w http.ResponseWriter, _ *http.Request) {
		for _, info := range g.Connections() {
			_, _ = fmt.Fprintln(w, info.ID)
		}
	})
	mux.HandleFunc("/figures", func(w http.ResponseWriter, r *http.Request) {
		var used syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &used)
		f := figures{CPU: time.Duration(used.Utime.Nano() + used.Stime.Nano())}
		if r.URL.Query().Has("memory") {
			debug.FreeOSMemory()
			debug.FreeOSMemory()
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			f.Live = int(memory.HeapAlloc + memory.StackInuse)
			if status, err := os.ReadFile("/proc/self/statm"); err == nil {
				pages, _ := strconv.Atoi(strings.Fields(string(status))[1])
				f.Resident = pages * os.Getpagesize()
			}
		}
		_ = json.NewEncoder(w).Encode(f)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // the benchmark ends: so does the server
		os.Exit(0)
	}()
	panic(http.Serve(listener, mux))
}

func benchmarkAddress(b *testing.B) string {
	b.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), benchmarkServer+"=1")
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := command.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
		http.DefaultClient.CloseIdleConnections()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(address)
}

func get(b *testing.B, address, path string) []byte {
	b.Helper()
	response, err := http.Get("http://" + address + path)
	if err != nil {
		b.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.Fatal(err)
	}
	return body
}

func used(b *testing.B, address, query string) (f figures) {
	b.Helper()
	if err := json.Unmarshal(get(b, address, "/figures?"+query), &f); err != nil {
		b.Fatal(err)
	}
	return f
}

// connections opens n sockets. Each has sent a message, as every real one has.
func connections(b *testing.B, address string, n int) (clients []net.Conn) {
	b.Helper()
	for range n {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		if _, err := conn.Write(append([]byte(upgrade+"\r\n"), frame(0x81, `{"action":"say"}`)...)); err != nil {
			b.Fatal(err)
		}
		in := bufio.NewReader(conn)
		response, err := http.ReadResponse(in, nil)
		if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
			b.Fatal(response, err)
		}
		clients = append(clients, conn)
	}
	return clients
}

// BenchmarkIdleConnection reports what 2,000 idle connections hold in the gateway's process. It is no matter of b.N.
func BenchmarkIdleConnection(b *testing.B) {
	const n = 2000
	address := benchmarkAddress(b)
	connections(b, address, 100) // what is allocated once
	before := used(b, address, "memory")
	connections(b, address, n)
	after := used(b, address, "memory")
	b.ReportMetric(float64(after.Live-before.Live)/n, "live-B/conn")
	b.ReportMetric(float64(after.Resident-before.Resident)/n, "resident-B/conn")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkPost reports the gateway's CPU time for one POST /@connections/{id} of 600 bytes, posted by 1 and by 16 at a
// time to 1,000 connections in turn.
func BenchmarkPost(b *testing.B) {
	for _, posters := range []int{1, 16} {
		b.Run(fmt.Sprintf("posters=%d", posters), func(b *testing.B) {
			address := benchmarkAddress(b)
			for _, conn := range connections(b, address, 1000) {
				go func() { _, _ = io.Copy(io.Discard, conn) }()
			}
			ids := strings.Fields(string(get(b, address, "/ids")))
			client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: posters}}
			defer client.CloseIdleConnections()
			message := strings.Repeat("x", 600)
			var next atomic.Int64
			before := used(b, address, "")
			b.ResetTimer()
			var all sync.WaitGroup
			for range posters {
				all.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						r, _ := http.NewRequest(http.MethodPost, "http://"+address+"/dev/@connections/"+ids[i%int64(len(ids))], strings.NewReader(message))
						r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local")
						r.Header.Set("Content-Type", "application/octet-stream")
						response, err := client.Do(r)
						if err != nil || response.StatusCode != http.StatusOK {
							b.Errorf("post: %v, %v", response, err)
							return
						}
						_ = response.Body.Close()
					}
				})
			}
			all.Wait()
			b.StopTimer()
			cpu := used(b, address, "").CPU - before.CPU
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N), "server-cpu-µs/op")
		})
	}
}
