package jsonx

import "testing"

func TestTextIsKeptOrRefused(t *testing.T) {
	tests := []struct {
		name, text string
		ok         bool
	}{
		{"plain", `{"a":"\u00e4 ä \n \" \\ud800"}`, true}, // an escaped backslash, then letters
		{"a pair", `"\ud83d\ude00"`, true},
		{"half a pair at the end", `"\ud83d"`, false},
		{"half a pair before another escape", `"\ud83d\n"`, false},
		{"two first halves", `"\ud83d\ud83d\ude00"`, false},
		{"the second half alone", `"\ude00"`, false},
		{"in a key", `{"\uD800":1}`, false},
		{"no UTF-8", "\"\xff\"", false},
		{"cut off", `"\u12`, true}, // the decoder tells
	}
	for _, tt := range tests {
		if err := CheckText([]byte(tt.text)); (err == nil) != tt.ok {
			t.Errorf("%s: CheckText(%q) = %v, want ok %t", tt.name, tt.text, err, tt.ok)
		}
	}
	if _, err := Tree([]byte("\"\xff\"")); err == nil {
		t.Error("Tree reads what is not UTF-8")
	}
}
