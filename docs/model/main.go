package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	only := flag.String("scenario", "", "search this one alone")
	most := flag.Int("states", 20_000_000, "give up a scenario after so many states (twenty million take about 3 GB)")
	broken := flag.Bool("mutations", false, "break each rule of the design instead, and show how it is found")
	trace := flag.String("mutation", "", "show the way to what this one mutation breaks")
	flag.Parse()
	if *broken || *trace != "" {
		printMutations(os.Stdout, *trace)
		return
	}
	if !printSearch(os.Stdout, *only, *most) {
		os.Exit(1)
	}
}

// printSearch searches the large scenarios and says whether all hold.
func printSearch(w io.Writer, only string, most int) bool {
	all := true
	fmt.Fprintln(w, "| scenario | states | quiet | steps at most | s | |")
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---|")
	for _, m := range scenarios(large) {
		if only != "" && m.Name != only {
			continue
		}
		began := time.Now()
		r := search(&m, most)
		said := "holds"
		switch {
		case r.broken != holds:
			all = false
			said = "BROKEN: " + r.broken.String()
		case !r.full:
			said = "holds so far: there are more states"
		}
		fmt.Fprintf(w, "| %s | %d | %d | %d | %.0f | %s |\n", m.Name, r.states, r.quiet, r.depth, time.Since(began).Seconds(), said)
		fmt.Fprint(w, numbered(r.trace))
	}
	return all
}

// printMutations shows for each mutation the small scenario that finds it in the fewest steps. For one that is named, the steps too.
func printMutations(w io.Writer, only string) {
	for _, broken := range allMutations() {
		if only != "" && broken.name != only {
			continue
		}
		var best result
		where := "nowhere"
		for _, m := range scenarios(small) {
			m.Broken = broken.flags
			if r := search(&m, 1_000_000); r.broken != holds && (best.broken == holds || len(r.trace) < len(best.trace)) {
				best, where = r, m.Name
			}
		}
		fmt.Fprintf(w, "| `%s` | %s | %s | %d | %s |\n", broken.name, broken.says, where, len(best.trace), best.broken)
		if only != "" {
			fmt.Fprint(w, numbered(best.trace))
		}
	}
}
