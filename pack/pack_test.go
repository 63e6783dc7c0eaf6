package pack_test

import (
	"archive/zip"
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/attest"
	"gatehouse/pack"
)

var (
	public, private, _ = ed25519.GenerateKey(nil)
	day                = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)
	keys               = pack.KeysOf("inst", map[string][]byte{"k1": public})
)

// A content is what a pack of a test is made of; tests change it before it is
// signed, as an installation gone wrong would.
type content struct {
	state     gatehouse.FrameworkState
	text      []byte
	decisions []gatehouse.Decision
	waivers   []gatehouse.Waiver
	answers   []gatehouse.Answer
	attested  []gatehouse.Attested
	events    []*gatehouse.Event
	files     map[string][]byte // evidence
	missing   []string
}

func whole(t *testing.T) *content {
	t.Helper()
	text, hash, err := (&gatehouse.FrameworkText{Framework: "corporate", Version: gatehouse.FrameworkVersion{Name: "1"}}).Encode()
	if err != nil {
		t.Fatal(err)
	}
	proof := []byte("minutes")
	_, proofHash, _ := sumOf(proof)
	c := &content{text: text, files: map[string][]byte{proofHash: proof}}
	c.state = gatehouse.FrameworkState{Framework: "corporate", InForce: "1", Versions: map[string]gatehouse.FrameworkVersionState{
		"1": {State: gatehouse.InForce, Hash: hash, Authors: []string{"user:ann"}, SubmittedBy: "user:ann", Submitted: day, ApprovedAt: day, Approvals: 2},
	}}
	for _, who := range []string{"user:carol", "user:dave"} {
		c.decisions = append(c.decisions, gatehouse.Decision{Subject: "Framework corporate@1", Digest: hash, Decision: gatehouse.Approved, By: who, Time: day, Evidence: []string{proofHash}})
	}
	c.waivers = []gatehouse.Waiver{{ID: "w1", Framework: "corporate", Control: "b", API: "payments/orders", State: gatehouse.Approved, AskedBy: "user:ann", DecidedBy: "user:carol", Expires: day.AddDate(0, 1, 0)}}
	c.answers = []gatehouse.Answer{{Framework: "corporate", Control: "q", API: "payments/orders", Version: "v1", By: "user:ann", DecidedBy: "user:carol", State: gatehouse.Approved, Evidence: []string{proofHash}}}
	a, err := attest.Sign(attest.Statement{
		ID: "a1", Installation: "inst", Environment: "prod", API: "payments/orders", Version: "v1", Revision: "aa", Framework: "corporate", FrameworkVersion: "1", FrameworkHash: hash,
		Outcome: attest.Waived, Controls: []attest.Control{{ID: "b", Outcome: attest.Waived, Waiver: "w1"}, {ID: "q", Outcome: attest.Passed, Evidence: []string{proofHash}}}, Issued: day, Expires: day.AddDate(1, 0, 0),
	}, "k1", private)
	if err != nil {
		t.Fatal(err)
	}
	c.attested = []gatehouse.Attested{{Attestation: *a, By: "system"}}
	c.events = chain(t, 6)
	return c
}

func sumOf(data []byte) (int, string, error) {
	f := pack.File{}
	w := pack.NewWriter(io.Discard, pack.Manifest{})
	if err := w.Put("x", data); err != nil {
		return 0, "", err
	}
	err := w.Close("", func([]byte) []byte { return nil })
	f = w.Files[0]
	return int(f.Size), f.SHA256, err
}

func chain(t *testing.T, n int) (all []*gatehouse.Event) {
	t.Helper()
	previous := ""
	for i := range n {
		e := &gatehouse.Event{Time: day, Actor: "user:ann", Authentication: "none", Action: "framework.put", Object: "Framework corporate", Outcome: gatehouse.Allowed}
		if err := e.Seal(int64(i+1), int64(i+1), previous); err != nil {
			t.Fatal(err)
		}
		previous = e.Hash
		all = append(all, e)
	}
	return all
}

func (c *content) pack(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	last := pack.Mark{}
	if n := len(c.events); n > 0 {
		last = pack.Mark{Number: int64(n), Hash: c.events[n-1].Hash}
	}
	w := pack.NewWriter(&b, pack.Manifest{Installation: "inst", Framework: "corporate", Created: day, By: "user:auditor", Trail: last, Missing: c.missing})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put := func(name string, v any) {
		data, err := json.Marshal(v)
		must(err)
		must(w.Put(name, data))
	}
	put(pack.KeysFile, keys)
	put(pack.StateFile, c.state)
	must(w.Put(pack.TextDir+"1.json", c.text))
	each(t, w, pack.DecisionsFile, c.decisions)
	each(t, w, pack.WaiversFile, c.waivers)
	each(t, w, pack.AnswersFile, c.answers)
	each(t, w, pack.AttestationsFile, c.attested)
	even := slices.DeleteFunc(slices.Clone(c.events), func(e *gatehouse.Event) bool { return e.Number%3 == 0 })
	odd := slices.DeleteFunc(slices.Clone(c.events), func(e *gatehouse.Event) bool { return e.Number%3 != 0 })
	each(t, w, pack.EventsDir+"framework.jsonl", even)
	each(t, w, pack.EventsDir+"gate.jsonl", odd)
	var index []gatehouse.Evidence
	for hash := range c.files {
		index = append(index, gatehouse.Evidence{Hash: hash})
	}
	each(t, w, pack.EvidenceFile, index)
	for hash, data := range c.files {
		must(w.Put(pack.EvidenceDir+hash, data))
	}
	must(w.Close("k1", func(text []byte) []byte { return ed25519.Sign(private, text) }))
	return b.Bytes()
}

func each[T any](t *testing.T, w *pack.Writer, name string, all []T) {
	t.Helper()
	if _, err := w.Create(name); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if err := w.Line(v); err != nil {
			t.Fatal(err)
		}
	}
}

func verify(t *testing.T, data []byte, k *pack.Keys) *pack.Report {
	t.Helper()
	r, err := pack.Verify(bytes.NewReader(data), int64(len(data)), k, day)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhole(t *testing.T) {
	data := whole(t).pack(t)
	r := verify(t, data, keys)
	if !r.OK() || !r.Trusted || len(r.Notes) > 0 {
		t.Fatalf("faults %q, notes %q", r.Faults, r.Notes)
	}
	want := pack.Counts{Files: 11, Decisions: 2, Attestations: 1, Valid: 1, Waivers: 1, Events: 6, Links: 5, Evidence: 1}
	if r.Counts != want || fmt.Sprint(r.Versions) != "[1 in-force, approved by 2 of 2 needed]" {
		t.Errorf("got %+v, %v; want %+v", r.Counts, r.Versions, want)
	}
	if r = verify(t, data, nil); !r.OK() || r.Trusted || len(r.Notes) != 1 {
		t.Errorf("by its own keys: %+v", r)
	}
}

// What is signed and yet does not hold: an installation that vouches for what
// was not done.
func TestSignedAndWrong(t *testing.T) {
	stranger, strange, _ := ed25519.GenerateKey(nil)
	_ = stranger
	tests := []struct {
		name   string
		change func(*content)
		want   string
	}{
		{"one approval of two", func(c *content) { c.decisions = c.decisions[:1] }, `approved by 1 persons who did not write it; 2 are needed`},
		{"the author's approval", func(c *content) { c.decisions[0].By = "user:ann" }, "user:ann approved version \"1\" and wrote or submitted it"},
		{"a program's approval", func(c *content) { c.decisions[0].By = "service:ci" }, "is no person"},
		{"one person twice", func(c *content) { c.decisions[1].By = c.decisions[0].By }, "decided twice"},
		{"approvals of another text", func(c *content) { c.decisions[0].Digest = "00" }, "approved by 1 persons"},
		{"a rejection", func(c *content) { c.decisions[0].Decision = gatehouse.Rejected }, "approved by 1 persons"},
		{"in force and never approved", func(c *content) {
			v := c.state.Versions["1"]
			v.ApprovedAt = time.Time{}
			c.state.Versions["1"] = v
		}, "never approved"},
		{"text that was not submitted", func(c *content) {
			c.text = append([]byte(nil), bytes.Replace(c.text, []byte(`"1"`), []byte(`"2"`), 1)...)
		}, "is not the text that was submitted"},
		{"another in force", func(c *content) { c.state.InForce = "2" }, `version "2" is said to be in force`},
		{"a stranger's attestation", func(c *content) {
			a, _ := attest.Sign(c.attested[0].Statement, "k1", strange)
			c.attested[0].Attestation = *a
		}, "not signed by the installation"},
		{"a changed attestation", func(c *content) { c.attested[0].Statement.Revision = "bb" }, "not signed by the installation"},
		{"an attestation by a text that is not there", func(c *content) {
			s := c.attested[0].Statement
			s.FrameworkHash = "00"
			a, _ := attest.Sign(s, "k1", private)
			c.attested[0].Attestation = *a
		}, "is not in the pack"},
		{"a waiver that is not there", func(c *content) { c.waivers = nil }, `leans on waiver "w1"`},
		{"a waiver for another control", func(c *content) { c.waivers[0].Control = "z" }, "is for control"},
		{"a waiver by who asked", func(c *content) { c.waivers[0].DecidedBy = "user:ann" }, "approved by who asked"},
		{"a waiver without end", func(c *content) { c.waivers[0].Expires = time.Time{} }, "has no end"},
		{"an answer confirmed by its author", func(c *content) { c.answers[0].DecidedBy = "user:ann" }, "confirmed their own answer"},
		{"evidence that is not there any more", func(c *content) {
			for h := range c.files {
				c.missing = append(c.missing, h)
			}
			clear(c.files)
		}, "is not there"},
		{"changed evidence", func(c *content) {
			for h := range c.files {
				c.files[h] = []byte("other")
			}
		}, "was changed"},
		{"a changed event", func(c *content) { c.events[2].Actor = "user:zoe" }, "event 3 was changed"},
		{"a sealed event of another chain", func(c *content) {
			if err := c.events[2].Seal(3, 3, "00"); err != nil {
				panic(err)
			}
		}, "event 3 does not follow event 2"},
		{"events out of order", func(c *content) { c.events[0], c.events[1] = c.events[1], c.events[0] }, "out of order"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := whole(t)
			tt.change(c)
			r := verify(t, c.pack(t), keys)
			if !slices.ContainsFunc(r.Faults, func(f string) bool { return strings.Contains(f, tt.want) }) {
				t.Errorf("got %q, want %q", r.Faults, tt.want)
			}
		})
	}
}

// Whatever is done to a pack after it was signed shows.
func TestTampered(t *testing.T) {
	data := whole(t).pack(t)
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	again := func(name string, change func([]byte) []byte) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, f := range z.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err != nil {
				t.Fatal(err)
			}
			if f.Name == name {
				if text = change(text); text == nil {
					continue
				}
			}
			to, _ := w.Create(f.Name)
			if _, err := to.Write(text); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, f := range z.File {
		for what, change := range map[string]func([]byte) []byte{
			"one byte":   func(b []byte) []byte { b = slices.Clone(b); b[len(b)/2] ^= 1; return b },
			"a line end": func(b []byte) []byte { return append(slices.Clone(b), '\n') },
			"removed":    func([]byte) []byte { return nil },
		} {
			if f.Name == pack.SignatureFile && what == "a line end" {
				continue // white space behind a signature is no part of it
			}
			bad := again(f.Name, change)
			r, err := pack.Verify(bytes.NewReader(bad), int64(len(bad)), keys, day)
			if err == nil && r.OK() {
				t.Errorf("%s of %s goes unseen", what, f.Name)
			}
		}
	}
	for cut := 0; cut < len(data); cut += 97 {
		if r, err := pack.Verify(bytes.NewReader(data[:cut]), int64(cut), keys, day); err == nil && r.OK() {
			t.Errorf("cut at %d goes unseen", cut)
		}
	}
	if r := verify(t, data, pack.KeysOf("other", map[string][]byte{"k1": public})); r.OK() {
		t.Error("another installation's keys do")
	}
	if r := verify(t, data, pack.KeysOf("inst", map[string][]byte{"k2": public})); r.OK() {
		t.Error("a key of another id does")
	}
}

// Archives that would write elsewhere, or are no archives, are no packs.
func TestHostileArchives(t *testing.T) {
	archive := func(names ...string) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		for _, n := range names {
			if _, err := w.CreateHeader(&zip.FileHeader{Name: n}); err != nil {
				t.Fatal(err)
			}
		}
		w.Close()
		return b.Bytes()
	}
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":     {nil, "no ZIP archive"},
		"text":        {[]byte("hello"), "no ZIP archive"},
		"above":       {archive("../x"), "is not the name of a file"},
		"above later": {archive("a/../../x"), "is not the name of a file"},
		"absolute":    {archive("/etc/passwd"), "is not the name of a file"},
		"drive":       {archive("c:x"), "is not the name of a file"},
		"backslash":   {archive(`a\..\x`), "is not the name of a file"},
		"folder":      {archive("a/"), "is not the name of a file"},
		"twice":       {archive("a", "a"), "stands in it twice"},
		"no manifest": {archive("a"), "it has no manifest.json"},
	} {
		_, err := pack.Verify(bytes.NewReader(tt.data), int64(len(tt.data)), nil, day)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", name, err, tt.want)
		}
	}
	w := pack.NewWriter(io.Discard, pack.Manifest{})
	for _, name := range []string{"../x", "/x", "", "a//b", "a/./b", "a:b"} {
		if _, err := w.Create(name); err == nil {
			t.Errorf("%q can be written", name)
		}
	}
}

func FuzzVerify(f *testing.F) {
	var t testing.T
	f.Add(whole(&t).pack(&t))
	f.Add([]byte("PK\x05\x06"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		r, err := pack.Verify(bytes.NewReader(data), int64(len(data)), keys, day)
		if err == nil && r == nil {
			t.Error("neither report nor error")
		}
	})
}
