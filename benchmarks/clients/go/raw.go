package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// raw reads the pipe with the standard library: a reader of lines, and maps.
func raw(streams int, command []string) error {
	sidecar := exec.Command(command[0], command[1:]...)
	stdin, err := sidecar.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := sidecar.StdoutPipe()
	if err != nil {
		return err
	}
	sidecar.Stderr = os.Stderr
	if err := sidecar.Start(); err != nil {
		return err
	}
	lines := bufio.NewReaderSize(stdout, 1<<16)
	if _, err := ask(stdin, lines, 0, "initialize", `{"protocol_version":1,"client_info":{"name":"raw"}}`); err != nil {
		return err
	}
	for number := 1; number <= streams; number++ {
		before := cpu()
		params := fmt.Sprintf(`{"stream_id":"s%d","messages":[{"role":"user","content":"Go."}]}`, number)
		latencies, err := ask(stdin, lines, number, "chat.stream", params)
		if err != nil {
			return err
		}
		report(before, latencies)
	}
	stdin.Close()
	return sidecar.Wait()
}

func ask(stdin io.Writer, lines *bufio.Reader, id int, method, params string) ([]float64, error) {
	var latencies []float64
	if _, err := fmt.Fprintf(stdin, `{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}`+"\n", id, method, params); err != nil {
		return nil, err
	}
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		var message map[string]any
		if err := json.Unmarshal(line, &message); err != nil {
			return nil, err
		}
		if message["method"] == "stream.chunk" {
			delta := message["params"].(map[string]any)["delta"].(map[string]any)
			latencies = append(latencies, since(delta["text"].(string)))
		} else if message["id"] == float64(id) {
			return latencies, nil
		}
	}
}

// since returns the microseconds that have passed since the time in a chunk's text.
func since(text string) float64 {
	var sent int64
	fmt.Sscan(text, &sent)
	return float64(time.Now().UnixNano()-sent) / 1e3
}
