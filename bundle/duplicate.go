package bundle

import "gatehouse"

// duplicates reports objects that stand twice, naming both places.
func duplicates(b *Bundle) []gatehouse.Fault {
	first := make(map[string]*Document, len(b.Documents))
	var faults []gatehouse.Fault
	for i := range b.Documents {
		d := &b.Documents[i]
		if d.object == nil {
			continue
		}
		if before, twice := first[d.object.Key()]; twice {
			faults = append(faults, d.fault("/metadata/name", "stands twice: first in %s", before.where()))
			continue
		}
		first[d.object.Key()] = d
	}
	return faults
}
