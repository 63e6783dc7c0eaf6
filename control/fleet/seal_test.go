package fleet

import (
	"bytes"
	"testing"
)

func TestSeal(t *testing.T) {
	f := &Fleet{Options: Options{Dir: t.TempDir()}, installation: &installation{id: "one"}}
	if _, err := f.Seal("a", []byte("secret")); err == nil {
		t.Error("sealed without a key")
	}
	if _, err := makeKey(f.Dir + "/" + keyFile); err != nil {
		t.Fatal(err)
	}
	sealed, err := f.Seal("a", []byte("secret"))
	if err != nil || bytes.Contains(sealed, []byte("secret")) {
		t.Fatalf("sealing: %q, %v", sealed, err)
	}
	if got, err := f.Unseal("a", sealed); err != nil || string(got) != "secret" {
		t.Errorf("opening: got %q, %v", got, err)
	}
	if _, err := f.Unseal("b", sealed); err == nil {
		t.Error("opened under another name")
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := f.Unseal("a", changed); err == nil {
			t.Errorf("opened with byte %d changed", i)
		}
	}
	if _, err := f.Unseal("a", sealed[:5]); err == nil {
		t.Error("opened a part")
	}
	other := &Fleet{Options: f.Options, installation: &installation{id: "two"}}
	if _, err := other.Unseal("a", sealed); err == nil {
		t.Error("opened for another installation")
	}
}
