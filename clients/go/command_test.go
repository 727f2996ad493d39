package llmsidecar

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// program writes an executable file, and returns its path.
func program(t *testing.T, folder, name string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheOptionGoesBeforeTheVariableAndThatBeforeThePath(t *testing.T) {
	folder := t.TempDir()
	option, variable, path := program(t, folder, "a"), program(t, folder, "b"), program(t, folder, commandName)
	t.Setenv("PATH", folder)
	for _, example := range []struct{ option, variable, wanted string }{
		{option, variable, option}, {"", variable, variable}, {"", "", path},
	} {
		t.Setenv(commandVariable, example.variable)
		if found, err := findCommand(example.option); err != nil || found != example.wanted {
			t.Errorf("got %s and %v, want %s", found, err, example.wanted)
		}
	}
	t.Setenv("PATH", t.TempDir())
	_, err := findCommand("")
	requireType(t, err, ErrorTypeSidecarNotFound)
}

func TestTheHostsOwnFolderIsLookedInto(t *testing.T) {
	host := filepath.Join("app", "MacOS", "host")
	for system, wanted := range map[string][]string{
		"linux":   {"app/MacOS/llm-sidecar", "app/MacOS/llm-sidecar/llm-sidecar"},
		"windows": {"app/MacOS/llm-sidecar.exe", "app/MacOS/llm-sidecar/llm-sidecar.exe"},
		"darwin": {
			"app/MacOS/llm-sidecar", "app/MacOS/llm-sidecar/llm-sidecar",
			"app/Resources/llm-sidecar", "app/Resources/llm-sidecar/llm-sidecar",
		},
	} {
		places := besides(host, system)
		for at := range places {
			places[at] = filepath.ToSlash(places[at])
		}
		if !slices.Equal(places, wanted) {
			t.Errorf("%s: got %q", system, places)
		}
	}
}
