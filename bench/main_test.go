package main

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails the run when a goroutine of this package is left.
func TestMain(m *testing.M) {
	code := m.Run()
	for deadline := time.Now().Add(5 * time.Second); code == 0; time.Sleep(10 * time.Millisecond) {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		const of = "purposepath/realtime/bench."
		if strings.Count(string(stacks), of) == strings.Count(string(stacks), of+"TestMain") {
			break
		}
		if time.Now().After(deadline) {
			fmt.Fprintf(os.Stderr, "goroutines left:\n%s", stacks)
			code = 1
		}
	}
	os.Exit(code)
}

// TestEveryScenarioMeasuresARealStack runs all of them, small, as `make bench` runs them.
func TestEveryScenarioMeasuresARealStack(t *testing.T) {
	t.Parallel()
	var progress bytes.Buffer
	b := &bench{
		dir: "..", progress: &progress, report: newReport(),
		sizes: sizes{samples: 3, within: time.Minute, warmUp: 1, connects: 2, crowd: 12, burst: 25, settle: time.Millisecond},
	}
	if err := b.measure(t.Context(), scenarios(), 1, time.Hour); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	printed := b.markdown(t.Context())
	want := []string{
		"host ", "commit ", "load average ", "runs: 1;",
		"| 1 connection |", "| 10 connections |", "| 12 connections |", "| ping |", "| connect and auth |",
		"| 25 events, tenants: 1 |", "| 25 events, tenants: 10 |", "| exec to ready |",
	}
	if runtime.GOOS == "linux" {
		want = append(want, "| event to 12 connections |", "| PusherFunction |", "| ready after the build |", "| with 12 connections |")
	}
	for _, part := range want {
		if !strings.Contains(printed, part) {
			t.Errorf("there is no %q", part)
		}
	}
	for _, table := range b.report.tables {
		if table.title == titleCPU || table.title == titleDelivery || table.title == titleStart {
			continue // a part of it may be below the 10 ms of a tick
		}
		for cell, values := range table.cells {
			if values.median() <= 0 {
				t.Errorf("%s, %s: %v", table.title, cell, values)
			}
		}
	}
	if t.Failed() {
		t.Logf("printed:\n%s", printed)
	}
}

func TestACommandLineThatCanNotBeUnderstoodSaysWhy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, args, says string
		code             int
	}{
		{"an unknown scenario", "event-1 evnt-10", `no scenario "evnt-10"; there are start, coldstart, ping`, exitUsage},
		{"no run", "-runs 0", "-runs is 0, not at least 1", exitUsage},
		{"an unknown flag", "-run 1", "flag provided but not defined: -run", exitUsage},
		{"a question", "-h", "event-100    PutEvents to the sockets of 100 connections", 0},
		{"another folder", "-dir testdata ping", "build the stack: ", exitFailed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out, progress bytes.Buffer
			if code := start(t.Context(), strings.Fields(tt.args), &out, &progress); code != tt.code || !strings.Contains(progress.String(), tt.says) || out.Len() > 0 {
				t.Errorf("code %d, printed %q, said %q; want %d and %q", code, &out, &progress, tt.code, tt.says)
			}
		})
	}
}

func TestScenariosKeepTheirOrder(t *testing.T) {
	t.Parallel()
	chosen, err := choose(scenarios(), []string{"burst-1", "ping"})
	if err != nil || len(chosen) != 2 || chosen[0].name != "ping" || chosen[1].name != "burst-1" {
		t.Errorf("choose = %v, %v", chosen, err)
	}
}
