package handler_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/purposepath/realtime/functions/connect/handler"
)

// FuzzOrigins: a list lets in what it names and nothing else, however the Origin is spelled.
func FuzzOrigins(f *testing.F) {
	list, err := handler.ParseOrigins([]string{"https://app.example.com", "https://*.example.org"})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"https://app.example.com", "HTTPS://a.EXAMPLE.org", "https://a.b.example.org", "https://.example.org", "https://evil.com/.example.org",
		"https://evil.com?.example.org", "https://evil.com#.example.org", "https://evil.com\\.example.org", "https://app.example.com.evil.com", "null", "",
	} {
		f.Add(seed)
	}
	// An Origin that a browser sends is scheme, host and port (RFC 6454 §6.1): no other byte can stand in it.
	label := regexp.MustCompile(`^https://[^.:/@]+\.example\.org$`)
	f.Fuzz(func(t *testing.T, origin string) {
		lower := strings.ToLower(origin)
		if want := lower == "https://app.example.com" || label.MatchString(lower); list.Allow(origin) != want {
			t.Errorf("Allow(%q) = %v", origin, !want)
		}
	})
}

// FuzzParseOrigins: what is taken for a list names at least one origin, and lets none of another scheme in.
func FuzzParseOrigins(f *testing.F) {
	for _, seed := range []string{"*", "https://a.example", "https://*.example.com", "https://*", "*://a", "https://a*b", "://"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		list, err := handler.ParseOrigins([]string{entry})
		if err != nil || entry == "*" {
			return
		}
		scheme, _, _ := strings.Cut(strings.ToLower(entry), "://")
		for _, origin := range []string{"", "null", "evil.example", "x" + scheme + "://evil.example"} {
			if list.Allow(origin) && !strings.EqualFold(entry, origin) {
				t.Errorf("%q lets %q in", entry, origin)
			}
		}
	})
}
