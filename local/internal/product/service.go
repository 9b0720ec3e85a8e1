package product

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// A Service is a domain service: it puts events on a stack's bus as every other does, through the AWS SDK.
type Service struct {
	client  *eventbridge.Client
	bus     string
	samples []Sample
}

// NewService returns a domain service of the stack at endpoint.
func NewService(endpoint, bus string, samples []Sample) *Service {
	client := eventbridge.New(eventbridge.Options{
		BaseEndpoint: aws.String(endpoint), Region: "eu-west-1",
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
	return &Service{client: client, bus: bus, samples: samples}
}

// Publish puts one event and returns its id, which every client sees. data is its payload; nil is that of the type's sample. A type without sample is put as it is: what is wrong
// with it is the system's to say.
func (s *Service) Publish(ctx context.Context, eventType, tenantID string, data map[string]any) (eventID string, err error) {
	sample, err := Find(s.samples, eventType)
	if err != nil && data == nil {
		return "", err
	}
	now := time.Now()
	if data == nil {
		data = sample.Fresh(tenantID, now)
	}
	if given, ok := data["tenantId"]; ok && given != tenantID {
		return "", fmt.Errorf("publish %s: the payload is of tenant %v, not of %s", eventType, given, tenantID)
	}
	data["tenantId"] = tenantID
	if _, given := data["eventId"]; !given {
		data["eventId"] = rand.Text()
	}
	source := sample.Source
	if source == "" {
		source = s.samples[0].Source
	}
	detail, err := json.Marshal(data)
	if err != nil {
		return "", fmt.Errorf("publish %s: %w", eventType, err)
	}
	return fmt.Sprint(data["eventId"]), s.put(ctx, types.PutEventsRequestEntry{
		EventBusName: aws.String(s.bus), Source: aws.String(source), DetailType: aws.String(eventType), Detail: aws.String(string(detail)),
	})
}

func (s *Service) put(ctx context.Context, entry types.PutEventsRequestEntry) error {
	out, err := s.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{entry}})
	if err != nil {
		return fmt.Errorf("publish %s: %w", *entry.DetailType, err)
	}
	if result := out.Entries[0]; result.ErrorCode != nil {
		return fmt.Errorf("publish %s: %s: %s", *entry.DetailType, *result.ErrorCode, aws.ToString(result.ErrorMessage))
	}
	return nil
}

// Simulate publishes samples of the types (all, if none is given) at a rate per second, until ctx ends, and calls published after
// each. The first error ends it.
func (s *Service) Simulate(ctx context.Context, tenantID string, rate float64, eventTypes []string, published func(eventType string)) error {
	if len(eventTypes) == 0 {
		for _, sample := range s.samples {
			eventTypes = append(eventTypes, sample.DetailType)
		}
	}
	for _, eventType := range eventTypes {
		if _, err := Find(s.samples, eventType); err != nil {
			return err
		}
	}
	ticker := time.NewTicker(time.Duration(float64(time.Second) / rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		eventType := eventTypes[mathrand.IntN(len(eventTypes))]
		if _, err := s.Publish(ctx, eventType, tenantID, nil); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		published(eventType)
	}
}
