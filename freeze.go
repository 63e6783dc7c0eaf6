package gatehouse

import (
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // freezes name time zones; not every machine has them

	"gatehouse/jsonx"
)

// A ReleaseRule says how revisions come into an environment.
type ReleaseRule struct {
	// Mode: automatic (each new revision is released when its backend has the
	// environment; the default for stage dev), manual (the default otherwise) or
	// approved (a release waits for an approval).
	Mode string `json:"mode,omitempty"`
	// After names environments in which the revision must be, or have been, live.
	After []string `json:"after,omitempty"`
	// Freezes are times in which nothing new comes in. Going back always may.
	Freezes []Freeze `json:"freezes,omitempty"`
	// Approvals says who approves, with mode approved; none: one person who may.
	Approvals *ReleaseApprovals `json:"approvals,omitempty"`
	// Notes: optional (the default) or required: a release then says what is new.
	Notes string `json:"notes,omitempty"`
	// Quiet is how long a version must have had no traffic here before it is taken
	// away; default 7d for stage prod, else 0s, which asks for nothing.
	Quiet *jsonx.Duration `json:"quiet,omitempty"`
}

// ReleaseApprovals says who approves releases. Each person counts once, and who
// asked does not count.
type ReleaseApprovals struct {
	Count int    `json:"count,omitempty"` // persons; default 1
	Role  string `json:"role,omitempty"`  // that each of them holds; none: the permission is enough
}

// A Freeze is a time in which nothing new comes into an environment.
type Freeze struct {
	// From and Until are moments, "2026-12-20", "2026-12-20 18:00" or RFC 3339, or
	// come back each year, "12-20" or "12-20 18:00", or each week, "Fri 16:00".
	// Until itself is outside.
	From  string `json:"from"`
	Until string `json:"until"` // see From; both are of one kind
	// Timezone of From and Until, "Europe/Berlin"; default UTC.
	Timezone string `json:"timezone,omitempty"`
	Reason   string `json:"reason,omitempty"` // for those who are refused
}

// maxFreezes bounds the freezes of an environment.
const maxFreezes = 100

func (r *ReleaseRule) check(c *Checker) {
	c.At("mode").OneOf(r.Mode, true, "automatic", "manual", "approved")
	c.At("notes").OneOf(r.Notes, true, "optional", "required")
	unique(c.At("after"), r.After, "", same)
	for i, e := range r.After {
		c.At("after").At(i).Name(e)
	}
	if len(r.Freezes) > maxFreezes {
		c.At("freezes").Errorf("%d freezes; at most %d", len(r.Freezes), maxFreezes)
	}
	for i := range r.Freezes {
		r.Freezes[i].check(c.At("freezes").At(i))
	}
	if a := r.Approvals; a != nil {
		at := c.At("approvals")
		if r.Mode != "approved" {
			at.Errorf("are for mode approved; mode is %q", r.Mode)
		}
		if a.Count < 0 || a.Count > 20 || a.Count == 0 && at.Written("count") {
			at.At("count").Errorf("%d is not in 1 to 20", a.Count)
		}
		if a.Role != "" {
			at.At("role").Name(a.Role)
		}
	}
	if r.Quiet != nil && (*r.Quiet < 0 || r.Quiet.Std() > 366*24*time.Hour) {
		c.At("quiet").Errorf("%q is not in 0s to 366d", *r.Quiet)
	}
}

func (f *Freeze) check(c *Checker) {
	zone, err := time.LoadLocation(f.Timezone)
	if err != nil || f.Timezone == "Local" {
		c.At("timezone").Errorf("%q is not a time zone such as \"Europe/Berlin\"", f.Timezone)
		return
	}
	c.text("reason", f.Reason, 500)
	from, until := freezeMoment(f.From, zone), freezeMoment(f.Until, zone)
	for _, p := range []struct {
		field, text string
		m           moment
	}{{"from", f.From, from}, {"until", f.Until, until}} {
		if !p.m.ok {
			c.At(p.field).Errorf("%q is neither a moment such as \"2026-12-20\" or \"2026-12-20 18:00\" nor one of each year such as \"12-20\" nor one of each week such as \"Fri 16:00\"", p.text)
		}
	}
	switch {
	case !from.ok || !until.ok:
	case from.back != until.back:
		c.Errorf("from %q and until %q: %s and %s", f.From, f.Until, from.kind(), until.kind())
	case from.back == eachWeek && from.minute == until.minute, from.back == eachYear && from.time.Equal(until.time):
		c.At("until").Errorf("%q is from itself: it would never end", f.Until)
	case from.back == once && !until.time.After(from.time):
		c.At("until").Errorf("%q is not after from %q", f.Until, f.From)
	}
}

// How moments come back.
const (
	once = iota
	eachWeek
	eachYear
)

// A moment is one end of a freeze.
type moment struct {
	ok     bool
	back   int       // once, eachWeek or eachYear
	minute int       // of the week, from Sunday 00:00
	time   time.Time // of each year: in the year 2000, which has all days
}

func (m moment) kind() string {
	return [...]string{"one does not come back", "one comes back each week", "one comes back each year"}[m.back]
}

// in is a moment of each year as it falls in one. The 29 February of a year
// without one is its first of March.
func (m moment) in(year int, zone *time.Location) time.Time {
	return time.Date(year, m.time.Month(), m.time.Day(), m.time.Hour(), m.time.Minute(), 0, 0, zone)
}

const minutesOfWeek = 7 * 24 * 60

func freezeMoment(text string, zone *time.Location) moment {
	if day, clock, ok := strings.Cut(text, " "); ok && len(day) == 3 {
		at := slices.IndexFunc([]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, func(d string) bool { return strings.EqualFold(d, day) })
		t, err := time.Parse("15:04", clock)
		return moment{ok: at >= 0 && err == nil, back: eachWeek, minute: (at*24+t.Hour())*60 + t.Minute()}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return moment{ok: true, time: t}
	}
	for _, form := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(form, text, zone); err == nil {
			return moment{ok: true, time: t}
		}
		if t, err := time.Parse(form, "2000-"+text); err == nil {
			return moment{ok: true, back: eachYear, time: t}
		}
	}
	return moment{}
}

// At tells whether the freeze holds at t, and until when it then does. A freeze
// of each week goes by the clock on the wall, so that it begins at four also
// after the clocks were put forward.
func (f *Freeze) At(t time.Time) (until time.Time, frozen bool) {
	zone, err := time.LoadLocation(f.Timezone)
	if err != nil {
		return until, false
	}
	from, end := freezeMoment(f.From, zone), freezeMoment(f.Until, zone)
	switch {
	case !from.ok || !end.ok || from.back != end.back:
		return until, false
	case from.back == eachYear:
		return withinYear(from, end, t, zone)
	case from.back == once:
		return end.time, !t.Before(from.time) && t.Before(end.time)
	}
	local := t.In(zone)
	now := (int(local.Weekday())*24+local.Hour())*60 + local.Minute()
	if from.minute < end.minute && (now < from.minute || now >= end.minute) || from.minute > end.minute && now < from.minute && now >= end.minute {
		return until, false
	}
	left := (end.minute - now + minutesOfWeek) % minutesOfWeek
	y, m, d := local.Date()
	until = time.Date(y, m, d, local.Hour(), local.Minute()+left, 0, 0, zone)
	if !until.After(t) { // in the hour that comes twice the first was meant
		until = until.Add(time.Hour)
	}
	return until, true
}

// withinYear is [Freeze.At] for one of each year, which may go over its end.
func withinYear(from, end moment, t time.Time, zone *time.Location) (until time.Time, frozen bool) {
	for year := t.In(zone).Year() - 1; year <= t.In(zone).Year(); year++ {
		begin, over := from.in(year, zone), end.in(year, zone)
		if !end.time.After(from.time) {
			over = end.in(year+1, zone)
		}
		if !t.Before(begin) && t.Before(over) {
			return over, true
		}
	}
	return until, false
}

// Frozen is the first of the environment's freezes that holds at t, and until
// when it does; nil when none holds.
func (s *Environment) Frozen(t time.Time) (f *Freeze, until time.Time) {
	if s.Release == nil {
		return nil, until
	}
	for i := range s.Release.Freezes {
		if until, frozen := s.Release.Freezes[i].At(t); frozen {
			return &s.Release.Freezes[i], until
		}
	}
	return nil, until
}

// Thaw is the first moment from t on in which no freeze holds; false when
// there is none within reach.
func (s *Environment) Thaw(t time.Time) (time.Time, bool) {
	for range 4 * maxFreezes {
		f, until := s.Frozen(t)
		if f == nil {
			return t, true
		}
		t = until
	}
	return t, false
}

// ReleaseMode is how revisions come into the environment.
func (s *Environment) ReleaseMode() string {
	switch {
	case s.Release != nil && s.Release.Mode != "":
		return s.Release.Mode
	case s.Stage == "dev":
		return "automatic"
	}
	return "manual"
}

// QuietTime is how long a version must have had no traffic before it is taken
// away.
func (s *Environment) QuietTime() time.Duration {
	switch {
	case s.Release != nil && s.Release.Quiet != nil:
		return s.Release.Quiet.Std()
	case s.Stage == "prod":
		return 7 * 24 * time.Hour
	}
	return 0
}
