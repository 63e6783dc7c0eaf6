package store

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"unicode/utf8"

	"gatehouse"
)

// A Cursor is the last record of a page: its sort value and its key. What
// comes after it is the next page, whatever was written in between.
type Cursor struct {
	Value string `json:"v,omitempty"`
	Key   string `json:"k"`
	// Of is a digest of the question, so that a cursor is not taken for
	// another list.
	Of []byte `json:"q"`
}

// maxCursor bounds what is decoded: two texts, quoted, in base64.
const maxCursor = 16 << 10

// Check refuses what no record can have and no database can be asked.
func (q Query) Check() error {
	texts := []string{q.Kind, q.Prefix, q.Sort, q.Below}
	for name, value := range q.Where {
		texts = append(texts, name, value)
	}
	for _, s := range texts {
		if !isText(s) {
			return gatehouse.E(gatehouse.Invalid, "listing by %.80q: it is no UTF-8 text of at most %d bytes without NUL", s, MaxKey)
		}
	}
	if q.Below != "" && q.Sort == "" {
		return gatehouse.E(gatehouse.Invalid, "listing below %.80q: it is not said by which entry", q.Below)
	}
	return nil
}

// Under reports whether a record with that entry to sort by is asked for.
func (q Query) Under(value string) bool { return q.Below == "" || value != "" && value < q.Below }

// Cursor checks the query and reads After; nil when it is empty. The parts are
// data to compare with, never text of a statement.
func (q Query) Cursor() (*Cursor, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if q.After == "" {
		return nil, nil
	}
	bad := gatehouse.E(gatehouse.Invalid, "reading cursor %.40q: it is not one that this list gave", q.After)
	if len(q.After) > maxCursor {
		return nil, bad
	}
	text, err := base64.RawURLEncoding.Strict().DecodeString(q.After)
	if err != nil || !utf8.Valid(text) {
		return nil, bad
	}
	var c Cursor
	if err := json.Unmarshal(text, &c); err != nil || c.Key == "" || !isText(c.Key) || !isText(c.Value) || string(c.Of) != string(q.digest()) {
		return nil, bad
	}
	return &c, nil
}

// NextAfter is the cursor behind the record with that sort value and key.
func (q Query) NextAfter(value, key string) string {
	text, _ := json.Marshal(Cursor{Value: value, Key: key, Of: q.digest()}) // strings and bytes: cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

// digest is of all that decides which records are listed in which order. A
// limit, a bound that is the time, or a moment to look at may change from page
// to page.
func (q Query) digest() []byte {
	text, _ := json.Marshal([]any{q.Kind, q.Prefix, q.Where, q.Sort, q.Desc})
	sum := sha256.Sum256(text)
	return sum[:8]
}
