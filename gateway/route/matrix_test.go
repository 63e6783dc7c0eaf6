package route

import (
	"testing"

	"gatehouse/policy"
)

func TestMatrix(t *testing.T) {
	tests := []struct {
		path, id string // id is the value that the template gave to the parameter
		want     bool
	}{
		{"/things/;id=5", ";id=5", true},
		{"/things/;id", ";id", true},
		{"/things/;id=3,4,5", ";id=3,4,5", true},
		{"/things/;id=3;id=4", ";id=3;id=4", true},
		{"/things/;from=a;to=b/parts", ";from=a;to=b", true},
		{"/things/5", "5", true},
		{"/things/5;x=1", "5;x=1", false},
		{"/things/;", ";", false},
		{"/things/;;", ";;", false},
		{"/things/;=1", ";=1", false},
		{"/things/;..", ";..", false},
		{"/things/;id=1;", ";id=1;", false},
		{"/things/;id=1/..;", ";id=1", false},
		{"/things;x/;id=5", ";id=5", false},
		{"/things/;id=a%3Bb", ";id=a%3Bb", false},
		{"/things/;id=1/x;y", ";id=1/x;y", false},
	}
	for _, tt := range tests {
		params := []policy.Param{{Name: "other", Value: "x"}, {Name: "id", Value: tt.id}}
		if got := Matrix(tt.path, params, []string{"id"}); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.path, got, tt.want)
		}
	}
	if Matrix("/things/;id=5", []policy.Param{{Name: "id", Value: ";id=5"}}, nil) {
		t.Error("a parameter that is not of style matrix has taken a semicolon")
	}
}
