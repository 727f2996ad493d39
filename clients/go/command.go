package llmsidecar

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

const (
	commandName     = "llm-sidecar"
	commandVariable = "LLM_SIDECAR"
)

// findCommand returns the path of the sidecar's executable: the first of what the options, the environment, the
// host's own folder and the PATH have.
func findCommand(option string) (string, error) {
	for _, named := range []string{option, os.Getenv(commandVariable)} {
		if named != "" {
			return lookUp(named)
		}
	}
	if host, err := os.Executable(); err == nil {
		for _, candidate := range besides(host, runtime.GOOS) {
			if path, err := exec.LookPath(candidate); err == nil {
				return path, nil
			}
		}
	}
	return lookUp(commandName)
}

// besides returns the places for the sidecar in the host's own folder, and in the resources of a macOS bundle.
func besides(host, system string) []string {
	if real, err := filepath.EvalSymlinks(host); err == nil {
		host = real
	}
	folders, name := []string{filepath.Dir(host)}, commandName
	switch system {
	case "darwin":
		folders = append(folders, filepath.Join(filepath.Dir(filepath.Dir(host)), "Resources"))
	case "windows":
		name += ".exe"
	}
	var places []string
	for _, folder := range folders {
		places = append(places, filepath.Join(folder, name), filepath.Join(folder, commandName, name))
	}
	return places
}

func lookUp(command string) (string, error) {
	path, err := exec.LookPath(command)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", notFound(err)
	}
	return path, nil
}

func notFound(cause error) *Error {
	return newError(ErrorTypeSidecarNotFound, cause, "There is no executable of the sidecar: %v.", cause)
}
