package gatehouse_test

import (
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestFreezeAt(t *testing.T) {
	weekly := gatehouse.Freeze{From: "Fri 16:00", Until: "Mon 08:00", Timezone: "Europe/Berlin"}
	days := gatehouse.Freeze{From: "2026-12-20", Until: "2027-01-02 12:00", Timezone: "Europe/Berlin"}
	exact := gatehouse.Freeze{From: "2026-12-20T10:00:00Z", Until: "2026-12-20T11:00:00Z"}
	yearly := gatehouse.Freeze{From: "12-20 18:00", Until: "01-02", Timezone: "America/New_York"}
	summer := gatehouse.Freeze{From: "07-01", Until: "09-01", Timezone: "Asia/Tokyo"}
	leap := gatehouse.Freeze{From: "02-28", Until: "02-29"}
	within := gatehouse.Freeze{From: "Tue 09:00", Until: "Tue 17:00"}
	tests := []struct {
		name   string
		freeze gatehouse.Freeze
		at     string
		until  string // "" when it does not hold
	}{
		{"Friday before four", weekly, "2026-11-20T15:59:00+01:00", ""},
		{"Friday at four", weekly, "2026-11-20T16:00:00+01:00", "2026-11-23T08:00:00+01:00"},
		{"Sunday", weekly, "2026-11-22T12:00:00+01:00", "2026-11-23T08:00:00+01:00"},
		{"Monday at eight", weekly, "2026-11-23T08:00:00+01:00", ""},
		{"over the end of summer time", weekly, "2026-10-24T12:00:00+02:00", "2026-10-26T08:00:00+01:00"},
		{"summer, seen from UTC", weekly, "2026-07-03T14:00:00Z", "2026-07-06T06:00:00Z"},
		{"within a day, before", within, "2026-11-24T08:59:59Z", ""},
		{"within a day", within, "2026-11-24T16:59:59Z", "2026-11-24T17:00:00Z"},
		{"within a day, after", within, "2026-11-24T17:00:00Z", ""},
		{"a day begins at midnight of its zone", days, "2026-12-19T23:00:00Z", "2027-01-02T11:00:00Z"},
		{"the evening before", days, "2026-12-19T22:59:59Z", ""},
		{"until is outside", days, "2027-01-02T11:00:00Z", ""},
		{"each year, the evening before", yearly, "2026-12-20T17:59:59-05:00", ""},
		{"each year", yearly, "2026-12-20T18:00:00-05:00", "2027-01-02T00:00:00-05:00"},
		{"each year, after its end", yearly, "2028-01-01T23:59:59-05:00", "2028-01-02T00:00:00-05:00"},
		{"each year, the new year of another zone", yearly, "2028-01-01T03:00:00Z", "2028-01-02T05:00:00Z"},
		{"each year, until is outside", yearly, "2027-01-02T05:00:00Z", ""},
		{"each year, half a year on", yearly, "2027-06-20T12:00:00Z", ""},
		{"each year, within it", summer, "2026-06-30T15:00:00Z", "2026-08-31T15:00:00Z"},
		{"each year, before it", summer, "2026-06-30T14:59:59Z", ""},
		{"a day that this year has", leap, "2028-02-28T12:00:00Z", "2028-02-29T00:00:00Z"},
		{"a day that this year lacks", leap, "2027-02-28T12:00:00Z", "2027-03-01T00:00:00Z"},
		{"exact", exact, "2026-12-20T10:30:00Z", "2026-12-20T11:00:00Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at, err := time.Parse(time.RFC3339, tt.at)
			if err != nil {
				t.Fatal(err)
			}
			until, frozen := tt.freeze.At(at)
			if frozen != (tt.until != "") {
				t.Fatalf("at %s: got %v, want frozen %v", tt.at, frozen, tt.until != "")
			}
			if want, err := time.Parse(time.RFC3339, tt.until); frozen && (err != nil || !until.Equal(want)) {
				t.Errorf("at %s: until %s, want %s", tt.at, until, tt.until)
			}
		})
	}
	e := gatehouse.Environment{Release: &gatehouse.ReleaseRule{Freezes: []gatehouse.Freeze{within, {From: "Tue 16:00", Until: "Wed 10:00"}}}}
	if thaw, ok := e.Thaw(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)); !ok || !thaw.Equal(time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC)) {
		t.Errorf("freezes that overlap: thaws %s, %v", thaw, ok)
	}
	e.Release.Freezes = []gatehouse.Freeze{{From: "Tue 00:00", Until: "Mon 00:00"}, {From: "Sun 00:00", Until: "Wed 00:00"}}
	if thaw, ok := e.Thaw(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)); ok {
		t.Errorf("freezes without end thaw at %s", thaw)
	}
}

func TestReleaseRuleFaults(t *testing.T) {
	tests := []struct{ name, rule, want string }{
		{"unknown zone", `{"freezes":[{"from":"Fri 16:00","until":"Mon 08:00","timezone":"Europe/Bonn"}]}`, `"Europe/Bonn" is not a time zone`},
		{"no moment", `{"freezes":[{"from":"Friday","until":"Mon 08:00"}]}`, `"Friday" is neither`},
		{"no such hour", `{"freezes":[{"from":"Fri 25:00","until":"Mon 08:00"}]}`, `"Fri 25:00" is neither`},
		{"two kinds", `{"freezes":[{"from":"Fri 16:00","until":"2027-01-01"}]}`, "one comes back each week"},
		{"two kinds, each year", `{"freezes":[{"from":"12-20","until":"Mon 08:00"}]}`, "one comes back each year and one comes back each week"},
		{"no such day of a year", `{"freezes":[{"from":"02-30","until":"03-02"}]}`, `"02-30" is neither`},
		{"no end, each year", `{"freezes":[{"from":"12-20","until":"12-20 00:00"}]}`, "would never end"},
		{"over the new year", `{"freezes":[{"from":"12-20","until":"01-02"}]}`, ""},
		{"backwards", `{"freezes":[{"from":"2027-01-02","until":"2027-01-01"}]}`, "is not after"},
		{"no end", `{"freezes":[{"from":"Fri 16:00","until":"Fri 16:00"}]}`, "would never end"},
		{"missing", `{"freezes":[{}]}`, `"" is neither`},
		{"approvals of nobody", `{"mode":"approved","approvals":{"count":0}}`, "0 is not in 1 to 20"},
		{"approvals where nobody asks", `{"mode":"manual","approvals":{"count":2}}`, "are for mode approved"},
		{"notes", `{"notes":"always"}`, `"always" is not one of`},
		{"quiet", `{"quiet":"400d"}`, "is not in 0s to 366d"},
		{"good", `{"mode":"approved","after":["qa"],"approvals":{"count":2,"role":"approver"},"notes":"required","quiet":"0s","freezes":[{"from":"Fri 16:00","until":"Mon 08:00","timezone":"Europe/Berlin"}]}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := gatehouse.DecodeObject([]byte(`{"apiVersion":"gatehouse/v1","kind":"Environment","metadata":{"name":"prod"},"spec":{"stage":"prod","release":` + tt.rule + `}}`))
			var all []string
			if err != nil {
				for _, f := range err.(*gatehouse.Error).Faults {
					all = append(all, f.String())
				}
			}
			if text := strings.Join(all, "\n"); tt.want == "" && text != "" || !strings.Contains(text, tt.want) {
				t.Errorf("got %q, want %q", text, tt.want)
			}
		})
	}
}

func FuzzFreezeAt(f *testing.F) {
	f.Add("Fri 16:00", "Mon 08:00", "Europe/Berlin", int64(1_800_000_000))
	f.Add("Sun 02:10", "Sun 02:50", "Europe/Berlin", int64(1_792_891_800)) // the hour that comes twice
	f.Add("12-20 18:00", "02-29", "Asia/Tokyo", int64(1_798_000_000))
	f.Add("2026-12-20", "2027-01-02 12:00", "", int64(1_798_000_000))
	f.Fuzz(func(t *testing.T, from, until, zone string, at int64) {
		if at < 0 || at > 4_000_000_000 {
			t.Skip()
		}
		freeze := gatehouse.Freeze{From: from, Until: until, Timezone: zone}
		now := time.Unix(at, 0)
		if end, frozen := freeze.At(now); frozen && !end.After(now) {
			t.Errorf("%+v holds at %s and ends at %s", freeze, now.UTC(), end.UTC())
		}
	})
}
