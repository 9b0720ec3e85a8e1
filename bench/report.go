package main

import (
	"fmt"
	"slices"
	"strings"
)

// Titles of the tables.
const (
	titleEvent     = "PutEvents → socket"
	titleRoundTrip = "round trip"
	titleCPU       = "CPU of one"
	titleDelivery  = "CPU of one delivered message"
	titleBurst     = "burst"
	titleStart     = "start"
	titleCold      = "cold start"
	titleResident  = "resident"
)

// A report is tables whose cells are filled run by run. Rows and columns stand in the order in which they were first named.
type report struct{ tables []*table }

// newReport returns a report whose tables will stand in the order of importance. Those that stay empty are left out.
func newReport() *report {
	r := &report{}
	for _, title := range []string{titleEvent, titleRoundTrip, titleCPU, titleDelivery, titleBurst, titleStart, titleCold, titleResident} {
		r.tables = append(r.tables, &table{title: title, cells: map[[2]string]figure{}})
	}
	return r
}

type table struct {
	title         string
	rows, columns []string
	cells         map[[2]string]figure // by row and column
}

// add puts the value of one run into a cell.
func (r *report) add(title, row, column string, value float64) {
	t := r.tables[slices.IndexFunc(r.tables, func(t *table) bool { return t.title == title })]
	t.rows, t.columns = with(t.rows, row), with(t.columns, column)
	t.cells[[2]string{row, column}] = append(t.cells[[2]string{row, column}], value)
}

// addPercentiles puts the median and the 99th percentile of one run into a row.
func (r *report) addPercentiles(title, row, prefix string, l latencies) {
	r.add(title, row, prefix+"p50, ms", milliseconds(l.percentile(50)))
	r.add(title, row, prefix+"p99, ms", milliseconds(l.percentile(99)))
}

// addUsage puts CPU time into a row, for each of count things.
func (r *report) addUsage(title, row string, u usage, count int) {
	if !u.measured {
		return
	}
	r.add(title, row, "stack, ms", milliseconds(u.stack)/float64(count))
	r.add(title, row, "engine, ms", milliseconds(u.engine)/float64(count))
	r.add(title, row, "functions, ms", milliseconds(u.functions)/float64(count))
	r.add(title, row, "all, ms", milliseconds(u.stack+u.engine+u.functions)/float64(count))
}

func with(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// String is the tables in Markdown.
func (r *report) String() string {
	var b strings.Builder
	for _, t := range r.tables {
		if len(t.rows) == 0 {
			continue
		}
		_, _ = fmt.Fprintf(&b, "\n| %s | %s |\n|---|%s\n", t.title, strings.Join(t.columns, " | "), strings.Repeat("---:|", len(t.columns)))
		for _, row := range t.rows {
			b.WriteString("| " + row)
			for _, column := range t.columns {
				b.WriteString(" | " + t.cells[[2]string{row, column}].String())
			}
			b.WriteString(" |\n")
		}
	}
	return b.String()
}
