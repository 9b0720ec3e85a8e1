package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	source := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module m\n", "main.go": "package main\n\nfunc main() {}\n"} {
		if err := os.WriteFile(filepath.Join(source, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := func(t *testing.T, architecture string, flags ...string) string {
		dir := t.TempDir()
		command := exec.Command("go", append(append([]string{"build"}, flags...), "-o", filepath.Join(dir, "bootstrap"), ".")...)
		command.Dir = source
		command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+architecture, "GOFLAGS=")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return dir
	}
	tests := []struct {
		name string
		dir  func(*testing.T) string
		want string // part of the error, "" for none
	}{
		{name: "as Lambda takes it", dir: func(t *testing.T) string { return build(t, "arm64") }},
		{name: "built for another processor", dir: func(t *testing.T) string { return build(t, "amd64") }, want: "is for EM_X86_64, not arm64"},
		{name: "needs a dynamic linker", dir: func(t *testing.T) string { return build(t, "arm64", "-buildmode=pie") }, want: "needs a dynamic linker"},
		{name: "not built", dir: func(t *testing.T) string { return filepath.Join(t.TempDir(), "none") }, want: "no such file"},
		{name: "holds more than the binary", dir: func(t *testing.T) string {
			dir := build(t, "arm64")
			if err := os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		}, want: "not bootstrap alone"},
		{name: "not executable", dir: func(t *testing.T) string {
			dir := build(t, "arm64")
			if err := os.Chmod(filepath.Join(dir, "bootstrap"), 0o600); err != nil {
				t.Fatal(err)
			}
			return dir
		}, want: "is not executable"},
		{name: "no binary at all", dir: func(t *testing.T) string {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("#!/bin/sh\necho not a binary\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			return dir
		}, want: "bad magic number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := check(tt.dir(t))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("check = %v, want %q", err, tt.want)
			}
		})
	}
}
