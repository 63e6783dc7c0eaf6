package rule

import (
	"maps"

	"gatehouse"
	"gatehouse/definition"
)

// operationsOf are the operations a definition has.
func operationsOf(main string, files map[string][]byte) ([]gatehouse.Operation, error) {
	d, err := definition.Read(main, files)
	if err != nil {
		return nil, err
	}
	return d.Operations, nil
}

func equal(a, b map[string]string) bool { return maps.Equal(a, b) }
