package gatehouse_test

import (
	"strings"
	"testing"

	"gatehouse"
)

// TestNotifyAndSupportAreChecked tries what a team may not say about whom it
// tells and when it helps, and that what it may say passes.
func TestNotifyAndSupportAreChecked(t *testing.T) {
	tests := []struct{ name, spec, want string }{
		{"good", `{"notify":[{"name":"oncall","events":["release.*","*"],"email":"oncall@example.com"},{"name":"hook","events":["support.open"],"webhook":"https://example.com/h"}],
			"support":{"hours":"Mon-Fri 9-17 Europe/Berlin","holidays":["12-25","2026-12-24"],"firstResponse":"1h"}}`, ""},
		{"no name", `{"notify":[{"events":["*"],"email":"a@example.com"}]}`, "name is missing"},
		{"twice", `{"notify":[{"name":"a","events":["*"],"email":"a@example.com"},{"name":"a","events":["*"],"email":"b@example.com"}]}`, "stands twice"},
		{"nobody to tell", `{"notify":[{"name":"a","events":["*"]}]}`, "name one of them"},
		{"two to tell", `{"notify":[{"name":"a","events":["*"],"email":"a@example.com","webhook":"https://example.com/"}]}`, "make two entries"},
		{"no events", `{"notify":[{"name":"a","email":"a@example.com"}]}`, "types of events"},
		{"no type", `{"notify":[{"name":"a","events":["Release!"],"email":"a@example.com"}]}`, "does not select events"},
		{"no address", `{"notify":[{"name":"a","events":["*"],"email":"Alice <a@example.com>"}]}`, "not a mail address"},
		{"http elsewhere", `{"notify":[{"name":"a","events":["*"],"webhook":"http://example.com/"}]}`, "is not a URL such as \"https"},
		{"a password", `{"notify":[{"name":"a","events":["*"],"webhook":"https://u:p@example.com/"}]}`, "carries a user"},
		{"odd outcome", `{"notify":[{"name":"a","events":["*"],"outcomes":["maybe"],"email":"a@example.com"}]}`, "maybe"},
		{"odd hours", `{"support":{"hours":"office hours"}}`, "not a day"},
		{"odd holiday", `{"support":{"holidays":["Easter"]}}`, "is not a day such as"},
		{"no time at all", `{"support":{"firstResponse":"0s"}}`, "more than 0"},
		{"solved before answered", `{"support":{"firstResponse":"2h","resolution":"1h"}}`, "longer than resolution"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := gatehouse.DecodeObject([]byte(`{"apiVersion":"gatehouse/v1","kind":"Team","metadata":{"name":"payments"},"spec":` + tt.spec + `}`))
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
