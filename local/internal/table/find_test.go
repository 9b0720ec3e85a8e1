package table

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	engine, cache := t.TempDir(), t.TempDir()
	install := func(dir, platform string) string {
		binary := filepath.Join(dir, "node_modules", "@dynoxide", platform, "dynoxide")
		if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(binary, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		return binary
	}
	tests := []struct {
		name, goos, goarch string
		want               string // path, or in the error
	}{
		{"installed with the stack", "linux", "amd64", install(engine, "linux-x64")},
		{"installed into the cache", "darwin", "arm64", install(cache, "darwin-arm64")},
		{"the stack's comes first", "linux", "arm64", install(engine, "linux-arm64")},
		{"not installed", "darwin", "amd64", "npm install --no-save --prefix " + cache + " @dynoxide/darwin-x64@1.2.1"},
	}
	install(cache, "linux-arm64")
	for _, tt := range tests {
		got, err := find(engine, cache, tt.goos, tt.goarch)
		if err == nil && got != tt.want || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: find = %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	if _, err := find("local/engine", cache, "linux", "amd64"); err == nil || !strings.Contains(err.Error(), "`npm ci --prefix local/engine`") {
		t.Errorf("linux/amd64, not installed: %v, want npm ci", err)
	}
}
