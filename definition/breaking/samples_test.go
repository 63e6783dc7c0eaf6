package breaking

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSamples holds that a definition compared with itself has not changed,
// over definitions that others wrote.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob("../../../shared/samples/openapi/*")
	if err != nil || len(files) == 0 {
		t.Skip("the samples are not here")
	}
	compared := 0
	for _, name := range files {
		if strings.HasSuffix(name, ".md") {
			continue
		}
		data := content(t, name)
		d := Definition{Main: "d.yaml", Files: map[string][]byte{"d.yaml": data}}
		r, err := Compare(d, d)
		if err != nil {
			t.Logf("%s: %v", filepath.Base(name), err)
			continue
		}
		compared++
		if len(r.Changes) > 0 {
			t.Errorf("%s: %d changes against itself, the first %+v", filepath.Base(name), len(r.Changes), r.Changes[0])
		}
	}
	if compared < len(files)*8/10 {
		t.Errorf("only %d of %d definitions could be compared", compared, len(files))
	}
}

func content(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
