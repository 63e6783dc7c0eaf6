// Package hours is the calendar of people who help: on which days and between
// which hours, in which time zone, and on which days not.
//
// It measures working time between two moments and finds the moment at which
// some working time is used up; clocks of service levels run by it. A day has
// the hours of its zone, 23 or 25 where clocks are changed. The package knows
// no word of the product. Time zones are in the program: a host without them
// counts alike.
package hours

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones on hosts that have none
)

// Always is the text for hours without an end.
const Always = "24x7"

// A Calendar says when people help. The zero value: always.
type Calendar struct {
	week     [7][]span // by time.Weekday
	zone     *time.Location
	bounded  bool // not always
	holidays map[date]bool
	yearly   map[monthDay]bool
	text     string
}

// A span is minutes of a day, from inclusive, to exclusive.
type span struct{ from, to int }

type (
	date struct {
		year  int
		month time.Month
		day   int
	}
	monthDay struct {
		month time.Month
		day   int
	}
)

// MaxText bounds what is parsed.
const MaxText = 300

// Parse reads "24x7", or spans of days and hours with a zone at the end:
// "Mon-Fri 9-17 Europe/Berlin", "Mon-Thu 08:30-17:00, Fri 8:30-14 UTC".
// Without a zone it is UTC.
func Parse(text string) (*Calendar, error) {
	c := &Calendar{text: text, zone: time.UTC}
	if text == Always || text == "" {
		return c, nil
	}
	if len(text) > MaxText {
		return nil, fmt.Errorf("hours are longer than %d characters", MaxText)
	}
	c.bounded = true
	parts := strings.Split(text, ",")
	for i, part := range parts {
		words := strings.Fields(part)
		if i == len(parts)-1 && len(words) == 3 {
			zone, err := time.LoadLocation(words[2])
			if err != nil || words[2] == "Local" || words[2] == "" {
				return nil, fmt.Errorf("%q is not a time zone such as \"Europe/Berlin\"", words[2])
			}
			c.zone, words = zone, words[:2]
		}
		if len(words) != 2 {
			return nil, fmt.Errorf("%q is not support hours: \"24x7\" or \"Mon-Fri 9-17 Europe/Berlin\"", text)
		}
		if err := c.add(words[0], words[1]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// add takes one span of days with one of hours.
func (c *Calendar) add(days, hours string) error {
	first, last, err := dayRange(days)
	if err != nil {
		return err
	}
	s, err := hourRange(hours)
	if err != nil {
		return err
	}
	for d := first; ; d = (d + 1) % 7 {
		for _, other := range c.week[d] {
			if s.from < other.to && other.from < s.to {
				return fmt.Errorf("%q on %s overlaps hours that are said already", hours, d)
			}
		}
		c.week[d] = append(c.week[d], s)
		if d == last {
			return nil
		}
	}
}

func dayRange(text string) (first, last time.Weekday, err error) {
	if strings.EqualFold(text, "daily") {
		return time.Monday, time.Sunday, nil
	}
	from, to, isRange := strings.Cut(text, "-")
	if first, err = weekday(from); err != nil || !isRange {
		return first, first, err
	}
	last, err = weekday(to)
	return first, last, err
}

func weekday(text string) (time.Weekday, error) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if strings.EqualFold(text, d.String()) || strings.EqualFold(text, d.String()[:3]) {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%q is not a day: Mon, Tue, Wed, Thu, Fri, Sat or Sun", text)
}

func hourRange(text string) (span, error) {
	from, to, ok := strings.Cut(text, "-")
	a, err := clock(from)
	if err == nil && !ok {
		err = errors.New("it has no end")
	}
	b := 0
	if err == nil {
		b, err = clock(to)
	}
	if err == nil && a >= b {
		err = errors.New("it ends before it begins; hours over midnight are two spans, \"Mon 22-24, Tue 0-6\"")
	}
	if err != nil {
		return span{}, fmt.Errorf("%q is not hours such as \"9-17\" or \"08:30-17:00\": %w", text, err)
	}
	return span{a, b}, nil
}

// clock reads "9", "09:30" or "24" as minutes of a day.
func clock(text string) (int, error) {
	h, m, colon := strings.Cut(text, ":")
	hour, err := strconv.ParseUint(h, 10, 8)
	minute := uint64(0)
	if err == nil && colon {
		minute, err = strconv.ParseUint(m, 10, 8)
	}
	if err != nil || colon && len(m) != 2 || hour > 24 || minute > 59 || hour == 24 && minute > 0 || len(h) > 2 {
		return 0, fmt.Errorf("%q is not a time of day", text)
	}
	return int(hour*60 + minute), nil
}

// MaxHolidays bounds a list of days without help.
const MaxHolidays = 400

// With returns the calendar without some days: dates, "2026-12-25", and days
// of every year, "12-25".
func (c *Calendar) With(holidays []string) (*Calendar, error) {
	if len(holidays) > MaxHolidays {
		return nil, fmt.Errorf("%d holidays: at most %d are kept", len(holidays), MaxHolidays)
	}
	next := *c
	next.holidays, next.yearly = map[date]bool{}, map[monthDay]bool{}
	for _, h := range holidays {
		if t, err := time.Parse(time.DateOnly, h); err == nil {
			next.holidays[date{t.Year(), t.Month(), t.Day()}] = true
			continue
		}
		// A leap year, so that 29 February is a day.
		t, err := time.Parse(time.DateOnly, "2000-"+h)
		if err != nil {
			return nil, fmt.Errorf("%q is not a day such as \"2026-12-25\", or \"12-25\" of every year", h)
		}
		next.yearly[monthDay{t.Month(), t.Day()}] = true
	}
	if len(holidays) > 0 {
		next.bounded = true
		if c.text == Always || c.text == "" {
			for d := range next.week {
				next.week[d] = []span{{0, 24 * 60}}
			}
		}
	}
	return &next, nil
}

// String is the text it was parsed from.
func (c *Calendar) String() string {
	if c.text == "" {
		return Always
	}
	return c.text
}
