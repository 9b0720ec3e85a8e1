package handler

import (
	"fmt"
	"strings"
)

// Origins are those that may connect: "*" for all, "https://app.example.com", or "https://*.example.com", where the star stands
// for exactly one label.
type Origins []pattern

type pattern struct{ before, after string }

// ParseOrigins reads a list. An entry that is no origin is an error, because it would silently allow nothing.
func ParseOrigins(list []string) (Origins, error) {
	var origins Origins
	for _, entry := range list {
		if entry == "*" {
			origins = append(origins, pattern{})
			continue
		}
		scheme, host, found := strings.Cut(entry, "://")
		if !found || scheme == "" || host == "" || strings.ContainsAny(host, "/?# ") ||
			strings.Count(host, "*") > 1 || (strings.Contains(host, "*") && !strings.HasPrefix(host, "*.")) {
			return nil, fmt.Errorf("origin %q is neither *, scheme://host[:port] nor scheme://*.domain", entry)
		}
		before, after, _ := strings.Cut(strings.ToLower(entry), "*")
		origins = append(origins, pattern{before, after})
	}
	return origins, nil
}

// Allow says whether a request with this Origin may connect.
func (o Origins) Allow(origin string) bool {
	origin = strings.ToLower(origin)
	for _, p := range o {
		if p == (pattern{}) || p.matches(origin) {
			return true
		}
	}
	return false
}

func (p pattern) matches(origin string) bool {
	if p.after == "" {
		return origin == p.before
	}
	rest, found := strings.CutPrefix(origin, p.before)
	label, found2 := strings.CutSuffix(rest, p.after)
	return found && found2 && label != "" && !strings.ContainsAny(label, ".:/@")
}
