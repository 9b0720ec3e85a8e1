package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// host is what a figure depends on, besides the load.
func host(ctx context.Context, dir string) string {
	return fmt.Sprintf("host %s, %d cores, %s/%s  \n%s, commit %s", processor(ctx), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH,
		runtime.Version(), said(ctx, "git", "-C", dir, "describe", "--always", "--dirty"))
}

func processor(ctx context.Context) string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return said(ctx, "sysctl", "-n", "machdep.cpu.brand_string")
	}
	return parseProcessor(info)
}

// parseProcessor reads the model from /proc/cpuinfo, which on some architectures has none.
func parseProcessor(info []byte) string {
	for line := range bytes.Lines(info) {
		name, value, _ := strings.Cut(string(line), ":")
		if strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "of unknown model"
}

// loadAverage is that of the last 1, 5 and 15 minutes.
func loadAverage(ctx context.Context) string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return strings.Trim(said(ctx, "sysctl", "-n", "vm.loadavg"), "{ }")
	}
	fields := strings.Fields(string(load))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

// said is the answer of a command, or that there is none.
func said(ctx context.Context, name string, args ...string) string {
	answer, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(answer))
}
