module llmsidecar

go 1.24
