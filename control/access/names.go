package access

// names gives each text a small number and counts its uses, so that a million
// assignments hold four bytes where they would hold a text. A number whose
// last use is gone is given out again.
type names struct {
	ids  map[string]uint32
	text []string
	uses []uint32
	free []uint32
}

func newNames() names { return names{ids: map[string]uint32{}} }

// take returns the number of s and counts one use more.
func (n *names) take(s string) uint32 {
	id, ok := n.ids[s]
	switch {
	case ok:
	case len(n.free) > 0:
		id = n.free[len(n.free)-1]
		n.free = n.free[:len(n.free)-1]
		n.text[id], n.ids[s] = s, id
	default:
		id = uint32(len(n.text))
		n.text, n.uses = append(n.text, s), append(n.uses, 0)
		n.ids[s] = id
	}
	n.uses[id]++
	return id
}

// drop counts one use less.
func (n *names) drop(id uint32) {
	if n.uses[id]--; n.uses[id] == 0 {
		delete(n.ids, n.text[id])
		n.text[id] = ""
		n.free = append(n.free, id)
	}
}
