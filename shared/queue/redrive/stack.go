package main

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// callTimeout bounds one attempt of a call, well above pollSeconds.
const callTimeout = 15 * time.Second

// localStack is what the local stack calls itself (AWS::StackName).
const localStack = "local"

// A stack is where letters come from and go to.
type stack struct {
	deadLetters, tenantDeadLetters box
	tenants                        *tenantQueue
	bus                            *bus
}

// connect finds a stack's queues and bus by their names: CloudFormation calls a queue STACK-LOGICALID-RANDOM, the local stack by its
// logical id alone.
func connect(ctx context.Context, o options) (stack, error) {
	cfg, err := awsConfig(ctx, o.endpoint)
	if err != nil {
		return stack{}, err
	}
	client := sqs.NewFromConfig(cfg)
	prefix, busName := "", o.bus
	switch {
	case o.stack != "":
		prefix = o.stack + "-"
		if busName == "" {
			busName = prefix + "events"
		}
	case busName == "":
		busName = localStack + "-events"
	}
	for _, q := range []struct {
		id, flag string
		url      *string
	}{
		{"DeadLetterQueue", "dead-letter-queue", &o.deadLetters},
		{"TenantDeadLetterQueue", "tenant-dead-letter-queue", &o.tenantDeadLetters},
		{"TenantQueue", "tenant-queue", &o.tenants},
	} {
		if *q.url != "" {
			continue
		}
		if *q.url, err = find(ctx, client, prefix+q.id); err != nil {
			if o.endpoint != "" {
				return stack{}, fmt.Errorf("%w: is the local stack running at %s (`make run`)?", err, o.endpoint)
			}
			return stack{}, fmt.Errorf("%w: check the stack's name, the region and the account, or give --%s with the stack's output %sUrl", err, q.flag, q.id)
		}
	}
	return stack{
		deadLetters: box{client, o.deadLetters}, tenantDeadLetters: box{client, o.tenantDeadLetters},
		tenants: &tenantQueue{client, o.tenants},
		bus:     &bus{client: eventbridge.NewFromConfig(cfg), name: busName},
	}, nil
}

// awsConfig is the local stack's, which takes any credentials, or the operator's own: environment, profile, SSO, role.
func awsConfig(ctx context.Context, endpoint string) (aws.Config, error) {
	client := awshttp.NewBuildableClient().WithTimeout(callTimeout)
	if endpoint != "" {
		anybody := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: localStack, SecretAccessKey: localStack}, nil
		})
		return aws.Config{Region: "eu-west-1", Credentials: anybody, BaseEndpoint: &endpoint, HTTPClient: client}, nil
	}
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(client))
	if err != nil {
		return aws.Config{}, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return aws.Config{}, fmt.Errorf("no AWS region: set AWS_REGION, or AWS_PROFILE to a profile that has one")
	}
	return cfg, nil
}

// find returns the URL of the one queue whose name is name, or name with what CloudFormation adds.
func find(ctx context.Context, client *sqs.Client, name string) (string, error) {
	var found []string
	pages := sqs.NewListQueuesPaginator(client, &sqs.ListQueuesInput{QueueNamePrefix: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", fmt.Errorf("look for the queue %s: %w", name, err)
		}
		for _, url := range page.QueueUrls {
			rest, ours := strings.CutPrefix(path.Base(url), name)
			if ours && (rest == "" || rest[0] == '-') {
				found = append(found, url)
			}
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return "", fmt.Errorf("there is no queue %s", name)
	}
	return "", fmt.Errorf("there are %d queues %s", len(found), name)
}
