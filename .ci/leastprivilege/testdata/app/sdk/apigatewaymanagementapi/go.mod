module github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi

go 1.26.0
