module measure

go 1.24

require llmsidecar v0.0.0

replace llmsidecar => ../../../clients/go
