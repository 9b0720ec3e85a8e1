package bus

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A cron is cron(minutes hours day-of-month month day-of-week year) in a time zone (EventBridge user guide, "Cron
// expressions"; Scheduler user guide, "Schedule types"). A local time that daylight saving leaves out is skipped; one that
// it repeats fires once.
type cron struct {
	zone    *time.Location
	minutes []int
	hours   []int
	months  []int
	years   []int
	days    func(year int, month time.Month) []int // that match, in order
}

const firstYear, lastYear = 1970, 2199

var (
	monthNames = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}
	dayNames   = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}
)

func parseCron(text string, zone *time.Location) (expression, error) {
	fields := strings.Fields(strings.ToUpper(text))
	if len(fields) != 6 {
		return nil, fmt.Errorf("it has %d fields, must have 6: minutes, hours, day of month, month, day of week, year", len(fields))
	}
	c := &cron{zone: zone}
	for _, simple := range []struct {
		name      string
		field     int
		low, high int
		names     []string
		into      *[]int
	}{
		{"minutes", 0, 0, 59, nil, &c.minutes},
		{"hours", 1, 0, 23, nil, &c.hours},
		{"month", 3, 1, 12, monthNames, &c.months},
		{"year", 5, firstYear, lastYear, nil, &c.years},
	} {
		values, err := parseSet(fields[simple.field], simple.low, simple.high, simple.names)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", simple.name, err)
		}
		*simple.into = values
	}
	ofMonth, ofWeek := fields[2], fields[4]
	var err error
	switch {
	case (ofMonth == "?") == (ofWeek == "?"):
		return nil, errors.New("exactly one of day of month and day of week must be ?")
	case ofWeek == "?":
		c.days, err = daysOfMonth(ofMonth)
	default:
		c.days, err = daysOfWeek(ofWeek)
	}
	return c, err
}

// next searches the calendar. It ends: the years are bounded.
func (c *cron) next(_, after time.Time) (time.Time, bool) {
	from := after.In(c.zone)
	for _, year := range c.years {
		for _, month := range c.months {
			if year < from.Year() || year == from.Year() && month < int(from.Month()) {
				continue
			}
			for _, day := range c.days(year, time.Month(month)) {
				if year == from.Year() && month == int(from.Month()) && day < from.Day() {
					continue
				}
				if at, ok := c.nextOn(year, time.Month(month), day, after); ok {
					return at, true
				}
			}
		}
	}
	return time.Time{}, false
}

func (c *cron) nextOn(year int, month time.Month, day int, after time.Time) (time.Time, bool) {
	for _, hour := range c.hours {
		for _, minute := range c.minutes {
			at := time.Date(year, month, day, hour, minute, 0, 0, c.zone)
			if at.After(after) && at.Hour() == hour && at.Minute() == minute {
				return at, true
			}
		}
	}
	return time.Time{}, false
}

// parseSet reads a list of values, ranges and steps: "*", "5", "1-3", "0/15", "MON-FRI,SUN".
func parseSet(text string, low, high int, names []string) ([]int, error) {
	var set []int
	for _, part := range strings.Split(text, ",") {
		first, last, step := low, high, 1
		span, stepText, stepped := strings.Cut(part, "/")
		if stepped {
			n, err := strconv.Atoi(stepText)
			if err != nil || n < 1 {
				return nil, fmt.Errorf("the step %q is not a positive number", stepText)
			}
			step = n
		}
		if span != "*" {
			begin, end, ranged := strings.Cut(span, "-")
			var err error
			if first, err = parseValue(begin, low, high, names); err != nil {
				return nil, err
			}
			switch {
			case ranged:
				if last, err = parseValue(end, low, high, names); err != nil {
					return nil, err
				}
				if last < first {
					return nil, fmt.Errorf("the range %s runs backwards", span)
				}
			case !stepped:
				last = first
			}
		}
		for v := first; v <= last; v += step {
			set = append(set, v)
		}
	}
	slices.Sort(set)
	return slices.Compact(set), nil
}

// parseValue reads a number, or a name that stands for low and the numbers after it.
func parseValue(text string, low, high int, names []string) (int, error) {
	if i := slices.Index(names, text); i >= 0 {
		return low + i, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		return 0, fmt.Errorf("%q must be %d to %d", text, low, high)
	}
	return n, nil
}

// daysOfMonth reads the day-of-month field: a set, L (the last day), nW (the weekday nearest to day n, in the same
// month) or LW (the last weekday).
func daysOfMonth(text string) (func(int, time.Month) []int, error) {
	switch nearest, isW := strings.CutSuffix(text, "W"); {
	case text == "L":
		return func(year int, month time.Month) []int { return []int{lastDay(year, month)} }, nil
	case text == "LW":
		return func(year int, month time.Month) []int {
			return []int{nearestWeekday(year, month, lastDay(year, month))}
		}, nil
	case isW:
		day, err := parseValue(nearest, 1, 31, nil)
		if err != nil {
			return nil, fmt.Errorf("day of month: %w", err)
		}
		return func(year int, month time.Month) []int {
			if day > lastDay(year, month) {
				return nil
			}
			return []int{nearestWeekday(year, month, day)}
		}, nil
	}
	set, err := parseSet(text, 1, 31, nil)
	if err != nil {
		return nil, fmt.Errorf("day of month: %w", err)
	}
	return func(year int, month time.Month) []int {
		last := lastDay(year, month)
		return slices.DeleteFunc(slices.Clone(set), func(day int) bool { return day > last })
	}, nil
}

// daysOfWeek reads the day-of-week field, 1 = SUN: a set, L (Saturday), dL (the month's last such day) or d#n (its n-th).
func daysOfWeek(text string) (func(int, time.Month) []int, error) {
	fail := func(err error) (func(int, time.Month) []int, error) { return nil, fmt.Errorf("day of week: %w", err) }
	if text == "L" {
		text = "SAT"
	}
	if name, isLast := strings.CutSuffix(text, "L"); isLast {
		day, err := parseValue(name, 1, 7, dayNames)
		if err != nil {
			return fail(err)
		}
		return func(year int, month time.Month) []int {
			all := weekdays(year, month, []int{day})
			return all[len(all)-1:]
		}, nil
	}
	if name, nth, hashed := strings.Cut(text, "#"); hashed {
		day, err := parseValue(name, 1, 7, dayNames)
		if err != nil {
			return fail(err)
		}
		n, err := parseValue(nth, 1, 5, nil)
		if err != nil {
			return fail(err)
		}
		return func(year int, month time.Month) []int {
			all := weekdays(year, month, []int{day})
			if n > len(all) {
				return nil
			}
			return all[n-1 : n]
		}, nil
	}
	set, err := parseSet(text, 1, 7, dayNames)
	if err != nil {
		return fail(err)
	}
	return func(year int, month time.Month) []int { return weekdays(year, month, set) }, nil
}

func lastDay(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func weekday(year int, month time.Month, day int) time.Weekday {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()
}

// weekdays are the days of a month that fall on one of a set of weekdays, 1 = Sunday.
func weekdays(year int, month time.Month, set []int) []int {
	var days []int
	for day := range lastDay(year, month) {
		if slices.Contains(set, int(weekday(year, month, day+1))+1) {
			days = append(days, day+1)
		}
	}
	return days
}

// nearestWeekday never leaves the month.
func nearestWeekday(year int, month time.Month, day int) int {
	switch weekday(year, month, day) {
	case time.Saturday:
		if day == 1 {
			return 3
		}
		return day - 1
	case time.Sunday:
		if day == lastDay(year, month) {
			return day - 2
		}
		return day + 1
	}
	return day
}
