package access

import (
	"slices"
	"testing"

	"gatehouse"
)

// TestBuiltInRolesAreNamedAlike holds that the words and this room know the
// same roles.
func TestBuiltInRolesAreNamedAlike(t *testing.T) {
	var names []string
	for _, r := range BuiltInRoles {
		names = append(names, r.Name)
	}
	if !slices.Equal(names, gatehouse.BuiltInRoles) {
		t.Errorf("access knows %v, the words %v", names, gatehouse.BuiltInRoles)
	}
}
