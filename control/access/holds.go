package access

import "slices"

// Holds tells whether a subject holds a role, itself or through a group, in a
// scope that encloses on. Who holds a wider role does not hold this one: it is
// asked where persons of a certain role must speak.
func (x *Index) Holds(subject, role string, on On) bool {
	given, _ := x.Given(subject)
	x.mu.RLock()
	scopes := x.enclosing(on, nil)
	x.mu.RUnlock()
	return slices.ContainsFunc(given, func(a Assignment) bool { return a.Role == role && slices.Contains(scopes, a.Scope) })
}
