package llmsidecar

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const samples = "../../protocol/samples"

func decodeAs[T any](data []byte) (any, error) {
	var value T
	err := json.Unmarshal(data, &value)
	return value, err
}

// eachSample calls test for each sample of a kind, with the decoder of its type.
func eachSample(t *testing.T, kind string, test func(t *testing.T, path string, decode func([]byte) (any, error))) {
	paths, err := filepath.Glob(filepath.Join(samples, "*", kind, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no samples were found: %v", err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, ".encoded.json") {
			continue
		}
		name := filepath.Base(filepath.Dir(filepath.Dir(path)))
		t.Run(name+"/"+filepath.Base(path), func(t *testing.T) {
			decode, known := decoders[name]
			if !known {
				t.Fatalf("there is no type %s", name)
			}
			test(t, path, decode)
		})
	}
}

func TestEveryValidSampleIsEncodedAgainAsItWas(t *testing.T) {
	eachSample(t, "valid", func(t *testing.T, path string, decode func([]byte) (any, error)) {
		data := read(t, path)
		value, err := decode(data)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		wanted := data
		if path := strings.TrimSuffix(path, ".json") + ".encoded.json"; exists(path) {
			wanted = read(t, path)
		}
		if !sameJSON(t, encoded, wanted) {
			t.Errorf("got  %s\nwant %s", encoded, wanted)
		}
	})
}

func TestEveryInvalidSampleIsRefused(t *testing.T) {
	eachSample(t, "invalid", func(t *testing.T, path string, decode func([]byte) (any, error)) {
		if strings.HasPrefix(filepath.Base(path), "range-") {
			t.Skip("a matter for validators")
		}
		if value, err := decode(read(t, path)); err == nil {
			t.Errorf("decoded %+v", value)
		}
	})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// sameJSON tells whether two texts have the same value; numbers beyond 2^53 do not occur in samples.
func sameJSON(t *testing.T, one, other []byte) bool {
	t.Helper()
	var left, right any
	if err := json.Unmarshal(one, &left); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(other, &right); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(left, right)
}
