package attest

import (
	"crypto/ed25519"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse/jsonx"
)

var issued = time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)

func statement() Statement {
	return Statement{
		ID: "0195", Installation: "inst", Environment: "prod", API: "payments/orders", Version: "v1", Revision: "3f9c2a",
		Framework: "corporate", FrameworkVersion: "2026.1", FrameworkHash: "ab", Outcome: Passed,
		Controls: []Control{{ID: "https", Outcome: Passed, Inputs: "aa"}, {ID: "owner", Outcome: Waived, Waiver: "w", Until: issued.AddDate(0, 1, 0)}},
		Issued:   issued, Expires: issued.AddDate(1, 0, 0),
	}
}

func TestCovers(t *testing.T) {
	tests := []struct {
		name                                     string
		installation, environment, api, rev, ver string
		at                                       time.Time
		want                                     string // "" covers
	}{
		{"as issued", "inst", "prod", "payments/orders", "3f9c2a", "v1", issued, ""},
		{"a moment before it ends", "inst", "prod", "payments/orders", "3f9c2a", "v1", issued.AddDate(1, 0, 0).Add(-1), ""},
		{"the moment it ends", "inst", "prod", "payments/orders", "3f9c2a", "v1", issued.AddDate(1, 0, 0), "ended 2028-03-01T12:00:00Z"},
		{"another revision", "inst", "prod", "payments/orders", "000000", "v1", issued, "for revision 3f9c2a"},
		{"another version", "inst", "prod", "payments/orders", "3f9c2a", "v2", issued, "for payments/orders@v1"},
		{"another API", "inst", "prod", "payments/order", "3f9c2a", "v1", issued, "for payments/orders@v1"},
		{"another environment", "inst", "qa", "payments/orders", "3f9c2a", "v1", issued, `for environment "prod"`},
		{"another installation", "other", "prod", "payments/orders", "3f9c2a", "v1", issued, `of installation "inst"`},
	}
	s := statement()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := s.Covers(tt.installation, tt.environment, tt.api, tt.ver, tt.rev, tt.at)
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOpen(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Sign(statement(), "k1", private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jsonx.Canonical(a)
	if err != nil {
		t.Fatal(err)
	}
	keys := func(id string) ed25519.PublicKey { return map[string]ed25519.PublicKey{"k1": public}[id] }
	want := statement()
	want.Format = Format
	if got, err := Open(text, keys); err != nil || !reflect.DeepEqual(*got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for i := strings.Index(string(text), `"statement":`) + len(`"statement":`); i < len(text); i++ {
		changed := []byte(string(text))
		changed[i] ^= 1
		if s, err := Open(changed, keys); err == nil {
			t.Errorf("byte %d changed from %q to %q, and it opens: %+v", i, text[i], changed[i], s)
		}
	}
	tests := []struct{ name, from, to, want string }{
		{"another key", `"keyId":"k1"`, `"keyId":"k2"`, ErrUnknownKey.Error()},
		{"another form of the same", `"format":`, `"format": `, errNotSigned.Error()},
		{"another expiry", "2028", "2029", errNotSigned.Error()},
		{"a field nobody knows", `"format":`, `"extra":1,"format":`, "cannot be read"},
		{"another format", Format, "gatehouse/attestation/2", "is in format"},
		{"no signature", `"signature":"`, `"signature":"","x":"`, "cannot be read"},
		{"nothing", string(text), "", "cannot be read"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Open([]byte(strings.Replace(string(text), tt.from, tt.to, 1)), keys); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Every byte counts: whichever is changed, the signature does not hold, or the
// text is no attestation any more.
func TestAnyChangedByteShows(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := Sign(statement(), "k1", private)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Verify(public); err != nil {
		t.Fatalf("untouched: %v", err)
	}
	text, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.Index(string(text), `"statement"`)
	end := strings.Index(string(text), `"keyId"`)
	for i := start + len(`"statement":`); i < end; i++ {
		changed := []byte(string(text))
		changed[i] ^= 1
		var b Attestation
		if json.Unmarshal(changed, &b) != nil {
			continue
		}
		if b.Verify(public) == nil {
			t.Errorf("byte %d changed from %q to %q, and it still verifies", i, text[i], changed[i])
		}
	}
	other, _, _ := ed25519.GenerateKey(nil)
	if a.Verify(other) == nil {
		t.Error("verifies with another key")
	}
	if a.Verify(nil) == nil {
		t.Error("verifies without a key")
	}
}
