package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/adminapi"
)

// refusedImports are the public samples that do not import, each with a true
// fault of the file, in the words of the error.
var refusedImports = map[string]string{
	// Two templates that the name of a parameter tells apart only: OpenAPI 3.0 §4.7.8 calls them identical and invalid.
	"Xero-OpenAPI-xero_accounting.yaml": `xero_accounting.yaml:450:3: paths "/Accounts/{AccountID}/Attachments/{FileName}"`,
	// Parts of definitions made of several files, without the other files.
	"gnostic-examples_v2.0_yaml_petstore-separate_spec_swagger.yaml": `leads to the file "parameters.yaml", which is missing`,
	"gravitee-api-management-3.0-openapi-api-products.yaml":          `leads to the file "openapi-apis.yaml", which is missing`,
	"rekor-2.0.yaml":                                `leads to the file "pkg/types/rekord/rekord_schema.json", which is missing`,
	"swagger-parser-3.0-issue-336.json":             `leads to the file "title/issue-336-title.json", which is missing`,
	"swagger-parser-3.0-main-no-mapping-oneof.yaml": `leads to the file "pet-no-mapping-oneof.yaml", which is missing`,
	"swagger-parser-3.0-main-plain-mapping.yaml":    `leads to the file "pet-plain-mapping.yaml", which is missing`,
	"swagger-parser-3.0-openapi3.yaml":              `leads to the file "components/schemas/Error.yaml", which is missing`,
	// A path from the root of a file system.
	"swagger-parser-2.0-spec.yaml": `"/definitions.yaml#/definitions/pet" is an absolute reference`,
	// References to components that the file does not have.
	"gravitee-api-management-3.0-openapi-environments.yaml": `"#/components/parameters/clusterIdParam" leads nowhere`,
	"swagger-parser-3.0-api.json":                           `"#/components/schemas/AnacreonticPacedCoalheaver" leads nowhere`,
	// One operationId for two operations.
	"swagger-parser-3.1-securitySchemes31.yaml": `operationId "addPet" stands twice`,
}

// A probe is one request that is to reach the backend.
type probe struct {
	api, operation, method, path string // path below the base path, as sent
}

// arrivals is a backend that keeps what reached it, by the number in X-Probe.
type arrivals struct {
	mu   sync.Mutex // guards seen
	seen map[string][]string
}

func (a *arrivals) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := r.Header.Get("X-Probe")
	a.seen[n] = append(a.seen[n], r.Method+" "+r.URL.EscapedPath())
}

// TestEveryOperationReachesItsBackend imports every definition at hand, puts all
// on one server, calls every operation, and holds that each call reaches the
// backend as the definition says and is counted under its operation.
func TestEveryOperationReachesItsBackend(t *testing.T) {
	s := newSite(t)
	seen := &arrivals{seen: map[string][]string{}}
	b, err := newBackend("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	b.server.Handler = seen
	s.serve("serve", "--report-interval", "200ms")
	s.env = append(s.env, "GATEHOUSE_DATA="+s.data("serve"))

	probes, refs := s.importAll(t, b.addr)
	product := fmt.Sprintf("apiVersion: gatehouse/v1\nkind: Product\nmetadata: {team: samples, name: every}\nspec: {apis: [%s], plans: [{name: free, approval: automatic}]}\n", strings.Join(refs, ", "))
	if err := os.WriteFile(filepath.Join(s.dir, "docs", "every.yaml"), []byte(product), 0o600); err != nil {
		t.Fatal(err)
	}
	s.must(t, "validate", "-f", "docs")
	s.must(t, "apply", "-f", "docs")
	s.must(t, "plan", "-f", "docs")
	var given struct{ Key string }
	if err := json.Unmarshal(s.must(t, "subscribe", "samples/every", "--plan", "free", "--app", "samples/probe", "--env", "dev", "--key", "-o", "json"), &given); err != nil {
		t.Fatal(err)
	}
	s.callAll(t, seen, probes, given.Key)
	s.countAll(t, probes)
}

// tool runs a command of the program in the site's directory.
func (s *site) tool(args ...string) (stdout, stderr []byte, err error) {
	var out, errs bytes.Buffer
	c := exec.Command(filepath.Join(program, "gatehouse"), args...)
	c.Env, c.Dir, c.Stdout, c.Stderr = append(s.env, "GATEHOUSE_ADDR="+s.admin), s.dir, &out, &errs
	err = c.Run()
	return out.Bytes(), errs.Bytes(), err
}

func (s *site) must(t *testing.T, args ...string) []byte {
	t.Helper()
	out, errs, err := s.tool(args...)
	if err != nil {
		t.Fatalf("gatehouse %s: %v\n%s", strings.Join(args, " "), err, errs)
	}
	return out
}

// importAll imports every sample into docs/ and says how to call its operations.
func (s *site) importAll(t *testing.T, backend string) (probes []probe, apis []string) {
	samples := map[string]string{}
	for _, pattern := range []string{"../../shared/samples/openapi/*", "../definition/testdata/*", "testdata/openapi/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if !strings.HasSuffix(f, ".md") {
				samples[strings.TrimSuffix(filepath.Base(f), ".gz")] = f
			}
		}
	}
	if len(samples) < 16 {
		t.Fatalf("%d samples; 14 in the definition's testdata and some here", len(samples))
	}
	n := 0
	for _, name := range sortedKeys(samples) {
		n++
		file := s.unpack(t, name, samples[name])
		api := fmt.Sprintf("api-%d", n)
		dir := "docs/" + api
		_, errs, err := s.tool("import", "openapi", file, "--team", "samples", "--name", api, "--version", "v1", "--backend", "http://"+backend, "-o", dir)
		if want, ok := refusedImports[name]; ok || err != nil {
			if !ok || err == nil || !strings.Contains(string(errs), want) || !placed.Match(errs) {
				t.Errorf("%s: got %v\n%s\nwant an error with a place and %q", name, err, errs, want)
			}
			continue
		}
		if err := os.Remove(filepath.Join(s.dir, dir, "team-samples.yaml")); err != nil { // one is enough
			t.Fatal(err)
		}
		more := probesOf(t, api, file)
		probes, apis = append(probes, more...), append(apis, api)
	}
	team := "apiVersion: gatehouse/v1\nkind: Team\nmetadata: {name: samples}\nspec: {}\n"
	if err := os.WriteFile(filepath.Join(s.dir, "docs", "team.yaml"), []byte(team), 0o600); err != nil {
		t.Fatal(err)
	}
	return probes, apis
}

// placed is a file with line and column.
var placed = regexp.MustCompile(`\.(ya?ml|json):[0-9]+:[0-9]+: `)

// unpack copies a sample into the site's directory.
func (s *site) unpack(t *testing.T, name, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasSuffix(file, ".gz") {
		z, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if data, err = io.ReadAll(z); err != nil {
			t.Fatal(err)
		}
	}
	to := filepath.Join(s.dir, "samples", name)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// callAll makes every request and compares what the backend saw.
func (s *site) callAll(t *testing.T, seen *arrivals, probes []probe, key string) {
	c := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8}}
	work, wg := make(chan int), sync.WaitGroup{}
	for range 8 {
		wg.Go(func() {
			for i := range work {
				p := probes[i]
				req, err := http.NewRequest(p.method, s.at["serve"]+"/"+p.api+"/v1"+p.path, nil)
				if err != nil {
					t.Errorf("%s %s: %v", p.method, p.path, err)
					continue
				}
				req.Header.Set("X-API-Key", key)
				req.Header.Set("X-Probe", fmt.Sprint(i))
				resp, err := c.Do(req)
				if err != nil {
					t.Errorf("%s %s %s: %v", p.api, p.method, p.path, err)
					continue
				}
				body, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
				resp.Body.Close()
				if resp.StatusCode != http.StatusOK {
					t.Errorf("%s %s %s: got status %d, want 200 from the backend\n%s", p.api, p.method, p.path, resp.StatusCode, body)
				}
			}
		})
	}
	for i := range probes {
		work <- i
	}
	close(work)
	wg.Wait()
	for i, p := range probes {
		got, want := strings.Join(seen.seen[fmt.Sprint(i)], ", "), p.method+" "+p.path
		if got != want {
			t.Errorf("%s: the backend saw %q, want %q", p.api, got, want)
		}
	}
}

// countAll compares what was counted with what was sent.
func (s *site) countAll(t *testing.T, probes []probe) {
	want, total := map[string]int64{}, int64(0)
	for _, p := range probes {
		want["samples/"+p.api+"@v1 "+p.operation]++
		total++
	}
	got := map[string]int64{}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		var usage struct{ Items []adminapi.UsageRow }
		if err := json.Unmarshal(s.must(t, "usage", "-o", "json", "--by", "api,operation"), &usage); err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		clear(got)
		for _, row := range usage.Items {
			got[row.API+" "+row.Operation] += row.Requests
			sum += row.Requests
		}
		if sum >= total || time.Now().After(end) {
			break
		}
	}
	for _, k := range sortedKeys(want) {
		if got[k] != want[k] {
			t.Errorf("%s: %d requests were counted, %d were sent", k, got[k], want[k])
		}
		delete(got, k)
	}
	for k, n := range got {
		t.Errorf("%s: %d requests were counted, none was sent", k, n)
	}
	t.Logf("%d requests to %d operations", total, len(want))
}
