package storetest

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/store"

	"github.com/google/go-cmp/cmp"
)

// sample writes five things and one of another kind.
func sample(t *testing.T, db store.DB) store.Seq {
	return apply(t, db, writes(
		put("Thing/a", store.Absent, "team", "red", "state", "new"),
		put("Thing/b", store.Absent, "team", "blue", "state", "new"),
		put("Thing/c", store.Absent, "team", "red", "state", "old"),
		put("Thing/d", store.Absent, "state", ""),
		put("Thing/Z", store.Absent, "team", "Green"),
		store.Write{Key: "Other/a", Kind: "Other", Value: []byte("1"), Index: map[string]string{"team": "red"}},
	))
}

func list(t *testing.T, db store.DB) {
	sample(t, db)
	for _, tt := range []struct {
		name string
		q    store.Query
		want string
	}{
		{"by key, in byte order", store.Query{}, "Z a b c d"},
		{"downwards", store.Query{Desc: true}, "d c b a Z"},
		{"limit", store.Query{Limit: 2}, "Z a"},
		{"where", store.Query{Where: map[string]string{"team": "red"}}, "a c"},
		{"where two", store.Query{Where: map[string]string{"team": "red", "state": "new"}}, "a"},
		{"where an entry is missing", store.Query{Where: map[string]string{"team": ""}}, "d"},
		{"where one is missing and one is there", store.Query{Where: map[string]string{"state": "", "team": "Green"}}, "Z"},
		{"where nothing", store.Query{Where: map[string]string{"team": "re"}}, ""},
		{"where an entry nobody has", store.Query{Where: map[string]string{"none": "x"}}, ""},
		{"sort", store.Query{Sort: "team"}, "d Z b a c"},
		{"sort downwards", store.Query{Sort: "team", Desc: true}, "c a b Z d"},
		{"sort by what nobody has", store.Query{Sort: "none"}, "Z a b c d"},
		{"sort and where", store.Query{Sort: "state", Where: map[string]string{"team": "red"}, Desc: true}, "c a"},
		{"prefix", store.Query{Prefix: "Thing/a"}, "a"},
		{"prefix of another kind", store.Query{Prefix: "Other/"}, ""},
		{"prefix and where", store.Query{Prefix: "Thing/", Where: map[string]string{"state": "new"}}, "a b"},
	} {
		tt.q.Kind = "Thing"
		page, err := db.List(t.Context(), tt.q)
		if got := strings.ReplaceAll(strings.Join(keysOf(page.Records), " "), "Thing/", ""); err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.name, got, err, tt.want)
		}
	}
	// A later write replaces entries.
	apply(t, db, writes(put("Thing/a", store.Any, "team", "blue")))
	page, err := db.List(t.Context(), store.Query{Kind: "Thing", Where: map[string]string{"team": "blue"}})
	if got := keysOf(page.Records); err != nil || !slices.Equal(got, []string{"Thing/a", "Thing/b"}) {
		t.Errorf("after another write: got %q, %v", got, err)
	}
}

// Records come to lack the entry that a list is sorted by, and get it, in every
// way there is: the list has each of them all the while.
func lacking(t *testing.T, db store.DB) {
	other := put("Thing/b", store.Any, "rank", "2")
	other.Kind = "Other"
	for _, step := range []struct {
		name string
		b    store.Batch
		want string // of kind Thing by rank
	}{
		{"all have it", writes(put("Thing/a", store.Any, "rank", "3"), put("Thing/b", store.Any, "rank", "2"), put("Thing/c", store.Any, "rank", "1")), "c b a"},
		{"one is new without", writes(put("Thing/d", store.Any)), "d c b a"},
		{"one loses it", writes(put("Thing/b", store.Any)), "b d c a"},
		{"one loses it to another", writes(put("Thing/c", store.Any, "state", "x")), "b c d a"},
		{"one of those without goes", writes(store.Write{Key: "Thing/d", Expect: store.Any}), "b c a"},
		{"one is written as it is", writes(put("Thing/c", store.Any, "state", "x")), "b c a"},
		{"two get it back", writes(put("Thing/b", store.Any, "rank", "5"), put("Thing/c", store.Any, "rank", "4")), "a c b"},
		{"one becomes of another kind", writes(other), "a c"},
		{"and comes back without", writes(put("Thing/b", store.Any)), "b a c"},
		{"the last one with it goes", writes(store.Write{Key: "Thing/a", Expect: store.Any}, put("Thing/c", store.Any)), "b c"},
		{"nothing is left", writes(store.Write{Key: "Thing/b", Expect: store.Any}, store.Write{Key: "Thing/c", Expect: store.Any}), ""},
		{"and it begins again", writes(put("Thing/c", store.Any), put("Thing/d", store.Any, "rank", "1")), "c d"},
	} {
		apply(t, db, step.b)
		for _, desc := range []bool{false, true} {
			records, _, err := all(t.Context(), db, store.Query{Kind: "Thing", Sort: "rank", Desc: desc, Limit: 2})
			got := keysOf(records)
			if desc {
				slices.Reverse(got)
			}
			if is := strings.ReplaceAll(strings.Join(got, " "), "Thing/", ""); err != nil || is != step.want {
				t.Errorf("%s (down: %t): got %q, %v; want %q", step.name, desc, is, err, step.want)
			}
		}
	}
}

func pages(t *testing.T, db store.DB) {
	var b store.Batch
	for i := range 53 {
		w := put(fmt.Sprintf("Thing/%03d", i), store.Absent)
		if i%3 != 0 {
			w.Index = map[string]string{"group": fmt.Sprint(i % 5), "all": "yes"}
		}
		b.Writes = append(b.Writes, w)
	}
	seq := apply(t, db, b)
	apply(t, db, writes(store.Write{Key: "Thing/050", Expect: store.Any}, put("Thing/100x", store.Absent)))
	for _, q := range []store.Query{
		{}, {Desc: true}, {Sort: "group"}, {Sort: "group", Desc: true}, {Sort: "none"}, {Where: map[string]string{"all": "yes"}},
		{Where: map[string]string{"all": "yes", "group": "2"}}, {Where: map[string]string{"all": "yes"}, Sort: "group", Desc: true},
		{Where: map[string]string{"all": ""}, Sort: "group"}, {Prefix: "Thing/0", Sort: "group"},
	} {
		q.Kind = "Thing"
		for _, asOf := range []store.Seq{0, seq} {
			q.AsOf, q.Limit = asOf, 0
			whole, _, err := all(t.Context(), db, q)
			if err != nil || len(whole) == 0 {
				t.Fatalf("%+v: got %d records, %v", q, len(whole), err)
			}
			for _, limit := range []int{1, 7, len(whole), len(whole) + 1} {
				q.Limit = limit
				parts, n, err := all(t.Context(), db, q)
				if err != nil {
					t.Fatalf("%+v: %v", q, err)
				}
				if diff := cmp.Diff(whole, parts); diff != "" {
					t.Errorf("%+v in pages (-whole +pages):\n%s", q, diff)
				}
				if full := (len(whole) + limit - 1) / limit; n != full {
					t.Errorf("%+v: got %d pages, want %d", q, n, full)
				}
			}
		}
	}
}

// What was there from the first page to the last is listed once, whatever is
// written in between.
func pagesUnderWrites(t *testing.T, db store.DB) {
	var b store.Batch
	for i := range 50 {
		b.Writes = append(b.Writes, put(fmt.Sprintf("Thing/%02d", i), store.Absent, "s", fmt.Sprint(i%4)))
	}
	apply(t, db, b)
	for _, sort := range []string{"", "s"} {
		seen := map[string]int{}
		q := store.Query{Kind: "Thing", Sort: sort, Limit: 5}
		for i := 0; ; i++ {
			page, err := db.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Records {
				seen[r.Key]++
			}
			within(t, db, q, page)
			if q.After = page.Next; q.After == "" {
				break
			}
			last := page.Records[len(page.Records)-1].Key // the cursor's own record goes away
			apply(t, db, writes(put(fmt.Sprintf("Thing/%02d-%s-%d", i*5, sort, i), store.Any, "s", "1"), store.Write{Key: last, Expect: store.Any}))
			apply(t, db, writes(put(last, store.Absent, "s", fmt.Sprint(int(last[7]-'0')%4))))
		}
		for i := range 50 {
			if key := fmt.Sprintf("Thing/%02d", i); seen[key] == 0 {
				t.Errorf("sort %q: %s was not listed", sort, key)
			}
		}
		for key, n := range seen {
			if sort == "" && n != 1 {
				t.Errorf("%s was listed %d times", key, n)
			}
		}
	}
}

func listAsOf(t *testing.T, db store.DB) {
	first := sample(t, db)
	second := apply(t, db, writes(put("Thing/a", store.Any, "team", "blue"), store.Write{Key: "Thing/b", Expect: store.Any}, put("Thing/e", store.Absent, "team", "red")))
	apply(t, db, writes(store.Write{Key: "Thing/c", Kind: "Other", Value: []byte("1"), Expect: store.Any}))
	for _, tt := range []struct {
		at   store.Seq
		q    store.Query
		want string
	}{
		{first, store.Query{}, "Z a b c d"},
		{first, store.Query{Where: map[string]string{"team": "red"}}, "a c"},
		{first, store.Query{Sort: "team", Desc: true, Limit: 2}, "c a"},
		{second, store.Query{}, "Z a c d e"},
		{second, store.Query{Where: map[string]string{"team": "red"}}, "c e"},
		{second, store.Query{Where: map[string]string{"team": ""}}, "d"},
		{second, store.Query{Sort: "team"}, "d Z a c e"},
		{0, store.Query{}, "Z a d e"},
		{99, store.Query{}, "Z a d e"},
	} {
		tt.q.Kind, tt.q.AsOf = "Thing", tt.at
		page, err := db.List(t.Context(), tt.q)
		if got := strings.ReplaceAll(strings.Join(keysOf(page.Records), " "), "Thing/", ""); err != nil || got != tt.want {
			t.Errorf("as of %d, %+v: got %q, %v; want %q", tt.at, tt.q, got, err, tt.want)
		}
		if at := tt.at; at > 0 && at < 3 && page.Seq != at {
			t.Errorf("as of %d: the page says %d", at, page.Seq)
		}
	}
}

func cursors(t *testing.T, db store.DB) {
	sample(t, db)
	q := store.Query{Kind: "Thing", Sort: "team", Limit: 2}
	page, err := db.List(t.Context(), q)
	if err != nil || page.Next == "" {
		t.Fatalf("first page: %+v, %v", page, err)
	}
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for _, bad := range []string{"x", "'; DROP TABLE record", encode("{}"), encode(`{"k":"Thing/a"}`), encode(`{"k":1}`), page.Next + "A", page.Next[1:],
		encode(`{"k":"' OR 1=1 --","q":""}`), strings.Repeat("A", 1<<20)} {
		q.After = bad
		_, err := db.List(t.Context(), q)
		want(t, fmt.Sprintf("cursor %.40q", bad), err, gatehouse.Invalid)
	}
	q.After, q.Sort = page.Next, ""
	_, err = db.List(t.Context(), q)
	want(t, "cursor of another list", err, gatehouse.Invalid)
}

// within holds that a page can be cut behind any of its records.
func within(t *testing.T, db store.DB, q store.Query, page store.Page) {
	t.Helper()
	for i := range len(page.Records) - 1 {
		sort := ""
		if q.Sort != "" {
			sort = page.Sorts[i]
		}
		q.After = q.NextAfter(sort, page.Records[i].Key)
		rest, err := db.List(t.Context(), q)
		if err != nil || len(rest.Records) == 0 || rest.Records[0].Key != page.Records[i+1].Key {
			t.Fatalf("behind %s: %v, %v; want %s first", page.Records[i].Key, rest.Records, err, page.Records[i+1].Key)
		}
	}
}
