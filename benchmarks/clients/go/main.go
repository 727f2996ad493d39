// What the Go client costs beside the raw pipe: measure raw|client STREAMS COMMAND ARG…
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"
)

func main() {
	streams, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = map[string]func(int, []string) error{"raw": raw, "client": client}[os.Args[1]](streams, os.Args[3:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// cpu returns the CPU time of this process in microseconds.
func cpu() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}

func report(before float64, latencies []float64) {
	row := map[string]any{"cpu_us": cpu() - before, "latencies_us": latencies}
	if err := json.NewEncoder(os.Stdout).Encode(row); err != nil {
		panic(err)
	}
}
