package estate

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse/bundle"
)

// The documents are good ones, and a revision is another document.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, 95, 105, "http://127.0.0.1:1"); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Read([]string{dir}, bundle.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(b.Documents), 10*2+1*2; got != want {
		t.Errorf("%d documents, want %d: an API and a backend each, a team and its product", got, want)
	}
	platform := filepath.Join(dir, "platform.yaml")
	if err := os.WriteFile(platform, []byte(Platform), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := bundle.Read([]string{platform}, bundle.Options{}); err != nil {
		t.Error(err)
	}
	if APIDocument(7, "1") == APIDocument(7, "2") {
		t.Error("two revisions are one document")
	}
}
