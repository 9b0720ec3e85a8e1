package main

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// A result is what a search found.
type result struct {
	states int
	quiet  int // of them
	depth  int
	full   bool     // every reachable state was searched
	broken rule     // holds if none is
	trace  []string // the shortest way to it
}

// origin is how a state was reached first: from which, by which of its steps.
type origin struct {
	parent uint64
	step   uint16
}

// search visits every state that can be reached, nearest first, at most so many. A state is known by a hash of 64 bits: of ten
// million states two share one with a probability of 1 in 370,000.
func search(m *model, most int) result {
	seed := maphash.MakeSeed()
	first := m.initial()
	key := maphash.Comparable(seed, first)
	origins := map[uint64]origin{key: {}}
	frontier, keys := []state{first}, []uint64{key}
	r := result{states: 1, full: true}
	for ; len(frontier) > 0; r.depth++ {
		var next []state
		var nextKeys []uint64
		for at, s := range frontier {
			quiet := true
			index := uint16(0)
			var broken *state
			m.next(&s, func(st step, after state) {
				quiet = quiet && st.kind != natural
				index++
				if broken != nil {
					return
				}
				key := maphash.Comparable(seed, after)
				if _, known := origins[key]; known {
					return
				}
				origins[key] = origin{keys[at], index - 1}
				r.states++
				if after.broken != holds {
					broken, r.broken = &after, after.broken
					r.trace = m.trace(origins, seed, key)
					return
				}
				next, nextKeys = append(next, after), append(nextKeys, key)
			})
			if broken != nil {
				r.full = false
				return r
			}
			if !quiet {
				continue
			}
			r.quiet++
			if healed, steps := m.heal(s); healed.broken != holds {
				r.full, r.broken = false, healed.broken
				r.trace = append(m.trace(origins, seed, keys[at]), steps...)
				return r
			}
		}
		if r.states > most {
			r.full = false
			return r
		}
		frontier, keys = next, nextKeys
	}
	return r
}

// trace replays the way to a state.
func (m *model) trace(origins map[uint64]origin, seed maphash.Seed, key uint64) []string {
	var way []uint16
	for start := maphash.Comparable(seed, m.initial()); key != start; key = origins[key].parent {
		way = append(way, origins[key].step)
	}
	slices.Reverse(way)
	s := m.initial()
	lines := make([]string, 0, len(way))
	for _, wanted := range way {
		index, from := uint16(0), s
		m.next(&from, func(st step, after state) {
			if index == wanted {
				s = after
				lines = append(lines, st.String())
			}
			index++
		})
	}
	return lines
}

// heal checks a quiet state, lets its client ping, as it does every 8 minutes, and everything end without a fault, and checks again.
func (m *model) heal(s state) (state, []string) {
	var lines []string
	if s.checkQuiet(m); s.broken != holds {
		return s, lines
	}
	if s.client.pos != 0 {
		for i := range s.conns {
			if s.client.told.has(i) && s.conns[i].ping.at == 0 {
				m.sendPing(&s, i, natural, func(st step, after state) {
					s = after
					lines = append(lines, "at last "+st.String())
				})
				break
			}
		}
	}
	for range 1000 {
		moved, from := false, s
		m.next(&from, func(st step, after state) {
			if st.kind == natural && !moved {
				moved, s = true, after
				lines = append(lines, st.String())
			}
		})
		if s.broken != holds {
			return s, lines
		}
		if !moved {
			s.checkHealed()
			return s, lines
		}
	}
	s.breaks(behind)
	return s, append(lines, "… and so on without an end")
}

// numbered is a trace to read.
func numbered(lines []string) string {
	var b strings.Builder
	for i, line := range lines {
		fmt.Fprintf(&b, "  %2d  %s\n", i+1, line)
	}
	return b.String()
}
