package awsenv

import "os"

func Required(name string) string { return os.Getenv(name) }

func Endpoint() string { return os.Getenv("AWS_ENDPOINT_URL") }
