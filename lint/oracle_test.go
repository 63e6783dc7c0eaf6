package lint

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/tools/txtar"
)

// samples are files the design was made with; they lie beside the repository.
const samples = "../../shared/samples/openapi"

// differences are the findings in which we and Spectral are known to differ,
// with the reason, by file and finding. There is none.
var differences = map[string]string{}

// counted are findings by "rule severity pointer".
type counted map[string]int

func count(main string, found []Finding) counted {
	c := make(counted)
	for _, f := range found {
		file := ""
		if f.File != main {
			file = f.File + "#"
		}
		c[fmt.Sprintf("%s %s %s%s", f.Rule, f.Severity, file, strings.ReplaceAll(f.Pointer(), "\n", `\n`))]++
	}
	return c
}

// wanted reads what oracle.js wrote.
func wanted(t *testing.T, text string) counted {
	t.Helper()
	c := make(counted)
	head := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		place, under := strings.CutPrefix(line, "\t")
		if !under {
			head = line
			continue
		}
		n := 1
		if times, rest, ok := strings.Cut(place, "× "); ok {
			var err error
			if n, err = strconv.Atoi(times); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			place = rest
		}
		c[head+" "+place] = n
	}
	return c
}

func (c counted) total() (n int) {
	for _, k := range c {
		n += k
	}
	return n
}

// differ lists what one has and the other has not.
func differ(got, want counted) (lines []string, n int) {
	for k := range want {
		if d := want[k] - got[k]; d > 0 {
			lines, n = append(lines, fmt.Sprintf("missing %d× %s", d, k)), n+d
		}
	}
	for k := range got {
		if d := got[k] - want[k]; d > 0 {
			lines, n = append(lines, fmt.Sprintf("too many %d× %s", d, k)), n+d
		}
	}
	slices.Sort(lines)
	return lines, n
}

// TestSpectralOnSamples compares our findings with Spectral's, rule, place
// and severity, over all samples. Differences must be listed with a reason,
// and no more than 2 % of findings may differ.
func TestSpectralOnSamples(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(samples); err != nil {
		t.Skip("the samples are not beside this repository")
	}
	data, err := os.ReadFile("testdata/samples.txt")
	if err != nil {
		t.Fatal(err)
	}
	set, err := Parse("all.yaml", []byte(`extends: [["spectral:oas", all]]`), nil)
	if err != nil {
		t.Fatal(err)
	}
	var total, differing atomic.Int64
	var wg sync.WaitGroup
	for _, section := range strings.Split(string(data), "\n== ")[1:] {
		name, rest, _ := strings.Cut(section, "\n")
		want, text := wanted(t, rest), sample(t, name)
		wg.Go(func() {
			d, err := Read(name, text)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			found, err := set.Run(d)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			lines, n := differ(count(name, found), want)
			for _, l := range lines {
				if differences[name+": "+l] == "" {
					t.Errorf("%s: %s", name, l)
				}
			}
			total.Add(int64(want.total()))
			differing.Add(int64(n))
		})
	}
	wg.Wait()
	if total.Load() < 2500 {
		t.Errorf("compared %d findings only", total.Load())
	}
	if differing.Load()*50 > total.Load() {
		t.Errorf("%d of %d findings differ, more than 2 %%", differing.Load(), total.Load())
	}
	t.Logf("%d of %d findings differ", differing.Load(), total.Load())
}

func sample(t testing.TB, name string) []byte {
	t.Helper()
	file := filepath.Join(samples, name)
	data, err := os.ReadFile(file)
	if err == nil {
		return data
	}
	packed, err := os.ReadFile(file + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if data, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return data
}

// TestSpectralOnCases compares our findings with Spectral's over small
// documents, one or more for each rule of spectral:oas, function and way to
// write a path. A case whose first line ends in "(differs: …)" is one where we
// mean to differ; its "got" is what we find.
func TestSpectralOnCases(t *testing.T) {
	t.Parallel()
	cases, err := filepath.Glob("testdata/cases/*.txtar")
	if err != nil || len(cases) < 20 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, file := range cases {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			files := make(map[string][]byte)
			for _, f := range a.Files {
				files[f.Name] = f.Data
			}
			name, found := runCase(t, files)
			want := "want"
			if bytes.Contains(a.Comment, []byte("(differs:")) {
				want = "got"
			}
			lines, _ := differ(count(name, found), wanted(t, string(files[want])))
			for _, l := range lines {
				t.Error(l)
			}
			if len(found) == 0 && !bytes.Contains(a.Comment, []byte("nothing")) {
				t.Error("the case finds nothing and does not say so")
			}
		})
	}
}

func runCase(t *testing.T, files map[string][]byte) (string, []Finding) {
	t.Helper()
	set, err := Parse("ruleset.yaml", files["ruleset.yaml"], func(name string) ([]byte, error) {
		data, ok := files[name]
		if !ok {
			return nil, os.ErrNotExist
		}
		return data, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	name := "doc.yaml"
	if files[name] == nil {
		name = "doc.json"
	}
	d, err := ReadFiles(name, files)
	if err != nil {
		t.Fatal(err)
	}
	found, err := set.Run(d)
	if err != nil {
		t.Fatal(err)
	}
	return name, found
}
