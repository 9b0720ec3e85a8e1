package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func TestTheRulesHoldInEveryState(t *testing.T) {
	t.Parallel()
	for _, m := range scenarios(small) {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			r := search(&m, 1_000_000)
			t.Logf("%d states, %d of them quiet, at most %d steps", r.states, r.quiet, r.depth)
			if r.broken != holds {
				t.Errorf("%s:\n%s", r.broken, numbered(r.trace))
			}
			if !r.full || r.quiet == 0 {
				t.Errorf("not all was searched: full %v, %d quiet states", r.full, r.quiet)
			}
		})
	}
}

// rows are the cells of README.md's table under a heading.
func rows(t *testing.T, heading string) [][]string {
	t.Helper()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("README.md has no heading %q", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var rows [][]string
	for line := range strings.Lines(section) {
		if strings.HasPrefix(line, "| ") {
			cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows = append(rows, cells)
		}
	}
	if len(rows) < 2 {
		t.Fatalf("README.md has no table under %q", heading)
	}
	return rows[1:] // without the head
}

// Each mutation is found, in the scenario and in as many steps as the page says, and breaks the rule that the page says.
func TestEveryMutationIsFoundAsThePageSays(t *testing.T) {
	t.Parallel()
	table := map[string][]string{}
	for _, row := range rows(t, "Mutations") {
		table[strings.Trim(row[0], "`")] = row
	}
	mutations := allMutations()
	if len(table) != len(mutations) {
		t.Errorf("the page has %d mutations, there are %d", len(table), len(mutations))
	}
	for _, broken := range mutations {
		t.Run(broken.name, func(t *testing.T) {
			t.Parallel()
			row := table[broken.name]
			if row == nil {
				t.Fatal("it is not on the page")
			}
			for _, m := range scenarios(small) {
				if m.Name != row[2] {
					continue
				}
				m.Broken = broken.flags
				r := search(&m, 1_000_000)
				if row[1] != broken.says || row[3] != strconv.Itoa(len(r.trace)) || row[4] != r.broken.String() || r.broken == holds {
					t.Errorf("the page says %q\nbut %s: %d steps, %s", row, broken.says, len(r.trace), r.broken)
				}
				return
			}
			t.Errorf("there is no scenario %q", row[2])
		})
	}
}

// A way that is shown can be followed: its last step breaks the rule, in the unchanged order of steps.
func TestAWayEndsWhereTheRuleBreaks(t *testing.T) {
	t.Parallel()
	m := scenarios(small)[0]
	m.Broken.AuthReadsFirst = true
	r := search(&m, 1_000_000)
	text := numbered(r.trace)
	for _, step := range []string{`pusher 0 commits 2`, `pusher 0 reads members of shard 0`, `auth records the connection on connection 0`, `client receives auth answered, head 1`} {
		if !strings.Contains(text, step) {
			t.Errorf("no step %q in\n%s", step, text)
		}
	}
	if members, record := strings.Index(text, "reads members of shard 0"), strings.Index(text, "auth records"); members > record {
		t.Errorf("the members were read after auth had recorded the connection:\n%s", text)
	}
}

// What the page says of the whole search names every scenario, and says that all of each was searched.
func TestThePageNamesEveryScenario(t *testing.T) {
	t.Parallel()
	results := map[string][]string{}
	for _, row := range rows(t, "Results") {
		results[row[0]] = row
	}
	whole := scenarios(large)
	if len(results) != len(whole) {
		t.Errorf("the page has %d scenarios, there are %d", len(results), len(whole))
	}
	states := regexp.MustCompile(`^[1-9][0-9]*$`)
	for _, m := range whole {
		row := results[m.Name]
		if len(row) != 6 || !states.MatchString(row[1]) || row[5] != "holds" {
			t.Errorf("%s: the page says %q", m.Name, row)
		}
	}
}
