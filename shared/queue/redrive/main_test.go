package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWhatIsWrongWithACommandLineIsSaid(t *testing.T) {
	t.Parallel()
	broken := filepath.Join(t.TempDir(), "broken.json")
	if err := os.WriteFile(broken, []byte("{\n  \"tenantId\": \"acme\",\n  \"goalId\" \"g\"\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args string
		code int
		says string
	}{
		{"", exitUsage, "say which stack"},
		{"--stack prod --endpoint http://localhost:5055", exitUsage, "one of them"},
		{"--stack prod prod", exitUsage, `"prod" is no flag`},
		{"--stack prod --sendd", exitUsage, "-sendd"},
		{"--stack prod --drop a --send", exitUsage, "--drop goes with no other order"},
		{"--stack prod --detail x.json", exitUsage, "--only"},
		{"--stack prod --only a,b --save x.json", exitUsage, "for one letter"},
		{"--stack prod --only a --save x.json --send", exitUsage, "second command"},
		{"--stack prod --limit -1", exitUsage, "negative"},
		{"--stack prod --only a --detail no-such-file", exitFailed, "no-such-file"},
		{"--stack prod --only a --detail " + broken, exitFailed, "line 3"},
		{"--stack prod --only a --detail -", exitFailed, "not a JSON object"},
		{"--endpoint http://127.0.0.1:1", exitFailed, "is the local stack running at http://127.0.0.1:1"},
		{"--help", exitDone, "--only ID --detail event.json --send"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			code := dispatch(t.Context(), strings.Fields(tt.args), strings.NewReader("[1]"), &out, &errs)
			if code != tt.code || !strings.Contains(errs.String(), tt.says) || out.Len() > 0 {
				t.Errorf("code %d, want %d; out %q, err %q, want %q", code, tt.code, out.String(), errs.String(), tt.says)
			}
		})
	}
}

func TestALineShowsNoPayloadAndMovesNoCursor(t *testing.T) {
	t.Parallel()
	l := aged(refused(strings.Replace(goodDetail, "acme", "ac\u009b2Jme\u202e", 1)), 61*time.Minute)
	l.more = "a\nb"
	for _, whole := range []bool{false, true} {
		var out bytes.Buffer
		p := printer{&out, whole, newPlan().now}
		if err := p.letter(l, "would go to the bus"+because(l)); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "resumedBy") != whole || !whole && strings.Count(out.String(), "\n") != 1 || !strings.HasPrefix(out.String(), "m-1") {
			t.Errorf("whole %v:\n%s", whole, &out)
		}
		if strings.ContainsAny(out.String(), "\u009b\u202e") || !strings.Contains(out.String(), "  1h1m   broadcaster   ") {
			t.Errorf("whole %v: %q", whole, out.String())
		}
	}
}

func TestSaveNeverOverwrites(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "event.json")
	l := aged(refused(badDetail), 0)
	if err := save(l, file); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: it holds what users wrote", info.Mode(), err)
	}
	if err := save(l, file); err == nil {
		t.Error("saved over a file")
	}
	if detail, err := readDetail(file, nil); err != nil || !strings.Contains(string(detail), "\n  \"resumedBy\": 7\n") {
		t.Errorf("detail = %s, %v", detail, err)
	}
	if err := save(read(message("hello")), file+"2"); err == nil {
		t.Error("saved what is no event")
	}
}

func TestBrief(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", time.Minute: "1m", 90 * time.Minute: "1h30m", 24 * time.Hour: "1d", 59*time.Hour + 59*time.Minute: "2d11h", 14 * 24 * time.Hour: "14d",
	} {
		if got := brief(d); got != want {
			t.Errorf("brief(%v) = %s, want %s", d, got, want)
		}
	}
}
