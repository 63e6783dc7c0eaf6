package compile

import (
	"encoding/json"
	"testing"
)

// records as the store has them, and such as only encoding/json reads.
var quickSeeds = []string{
	`{"object":{"apiVersion":"gatehouse/v1","kind":"Subscription","metadata":{"name":"a","team":"b","labels":{"x":"y"}},"spec":{"application":"invoices","environment":"dev","plan":"free","product":"payments/commerce"}},"set":"demo","status":{"state":"approved","since":"2026-11-23T08:49:44.256856Z","by":"plan","askedBy":"user:admin"}}`,
	`{"object":{"spec":{"application":"a","product":"p","plan":"g","environment":"e"}},"status":{"state":"approved","expires":"2027-01-01T00:00:00Z"}}`,
	`{"id":"key_03ecaba436fe","subscription":"billing/invoices-commerce","environment":"dev","hash":"A-yrpDb-0LVXmqTjg73vuiZYoEjbKp-b1HfrE0RLEnA","tail":"1NuOST","created":"2026-11-23T08:49:44.267134Z","createdBy":"user:admin"}`,
	`{"subscription":"b/i","hash":"A","expires":"2027-01-01T00:00:00Z","revoked":"2026-01-01T00:00:00+01:00"}`,
	`{}`, `{"object":{}}`, `{"object":null}`, `{"Status":{"state":"approved"}}`, `{"status":{"STATE":"a","state":"b"},"status":{}}`,
	`{"status":{"state":"a\u0062c"}}`, `{"status":{"state":"ü"}}`, `{"status":{"expires":"2027"}}`, `{"hash":1}`, `{"hash":"a",}`, `{"a":"b"}}`, `{"a":[1,{"b":null}]}`, ` {"a":"b"}`,
	`{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{}}}}}}}}}}}}}}}}}}}`, `{"hash"}`, `{"hash":}`, `{`, `{"`, ``,
}

// What is stored most is read without encoding/json.
func TestQuick(t *testing.T) {
	for _, text := range quickSeeds[:4] {
		if !new(storedSubscription).quick([]byte(text)) || !new(storedKey).quick([]byte(text)) {
			t.Errorf("not read quickly: %s", text)
		}
	}
}

// FuzzQuick holds that what is read without encoding/json is what that reads.
func FuzzQuick(f *testing.F) {
	for _, text := range quickSeeds {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var s, sub storedSubscription
		if s.quick(text) {
			if err := json.Unmarshal(text, &sub); err != nil || !s.Status.Expires.Equal(sub.Status.Expires) || s.Object != sub.Object || s.Status.State != sub.Status.State {
				t.Errorf("%q: read %+v, encoding/json %+v, %v", text, s, sub, err)
			}
		}
		var k, key storedKey
		if k.quick(text) {
			if err := json.Unmarshal(text, &key); err != nil || !k.Expires.Equal(key.Expires) || !k.Revoked.Equal(key.Revoked) || k.Subscription != key.Subscription || k.Hash != key.Hash || k.Tail != key.Tail {
				t.Errorf("%q: read %+v, encoding/json %+v, %v", text, k, key, err)
			}
		}
	})
}
