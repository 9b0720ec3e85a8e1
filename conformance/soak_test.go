package conformance_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	soak      = flag.Duration("soak", 3*time.Second, "how long TestSoak puts events, with a fault every second")
	soakSpeed = flag.Float64("soak-speed", 30, "speed of the stack's clock, so that retries after minutes take seconds; 1 for a true one")
	soakSeed  = flag.Uint64("soak-seed", 1, "seed of its faults and drops")
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
	s, pid := startProgram(t, "--speed", fmt.Sprint(*soakSpeed))
	ctx, cancel := context.WithTimeout(t.Context(), *soak)
	defer cancel()
	random := rand.New(rand.NewPCG(*soakSeed, 0))
	began := time.Now()
	l := startLoad(ctx, t, s, *soakSeed)
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
			t.Logf("%v: %d events put, %d faults, memory %s", time.Since(began).Round(time.Second), l.put.Load(), struckFaults, memory(pid))
		case <-ctx.Done():
		}
	}
	s.NoFaults(t)
	l.finish()
	t.Logf("%d events to %d clients, %d faults, all there after %v; %d connections, %d without an answer to auth; memory %s", l.put.Load(), loadTenants*loadClients, struckFaults, time.Since(began).Round(time.Second), l.opened.Load(), l.silences.Load(), memory(pid))
}
