// The worker as a Container Apps job on a serverless GPU: an execution for each job that waits, none while nothing waits.
// 8 GiB of scratch at most: LoRA and textual inversion fit, a full fine-tune does not (docs/operations.md).

param location string
param tags object
param names object

@description('The kind of card: A100 with 80 GB, or T4 with 16 GB, which has no bfloat16.')
@allowed(['Consumption-GPU-NC24-A100', 'Consumption-GPU-NC8as-T4'])
param profile string

@description('Cards at most, and with them the bill.')
@minValue(1)
param maximumWorkers int

@description('The image; before azd has pushed one, something small that ends by itself.')
param image string

@description('Seconds after which an execution is ended, whatever it does: above the longest training.')
param longestSeconds int

@description('Price of this card for an hour; empty: unknown. It makes the measurement sdxl.run.cost.')
param pricePerHour string

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.workerIdentity
}

resource scaler 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.scalerIdentity
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.storage
}

resource modelsAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.modelsStorage
}

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' existing = {
  name: names.workspace
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.insights
}

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: names.registry
}

// Of each card what one replica may have.
var room = profile == 'Consumption-GPU-NC24-A100' ? { cpu: 24, memory: '220Gi' } : { cpu: 8, memory: '56Gi' }

resource environment 'Microsoft.App/managedEnvironments@2026-01-01' = {
  name: names.containerEnvironment
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: { destination: 'azure-monitor' }
    workloadProfiles: [
      { name: 'Consumption', workloadProfileType: 'Consumption' }
      { name: 'gpu', workloadProfileType: profile }
    ]
  }
}

// The only version with groups of categories; no newer one exists.
#disable-next-line use-recent-api-versions
resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'console'
  scope: environment
  properties: {
    workspaceId: workspace.id
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

resource models 'Microsoft.App/managedEnvironments/storages@2026-01-01' = {
  parent: environment
  name: 'base-models'
  properties: {
    azureFile: {
      accountName: modelsAccount.name
      shareName: 'base-models'
      accessMode: 'ReadOnly'
      accountKey: modelsAccount.listKeys().keys[0].value
    }
  }
}

// One image serves both queues, predictions first; so both wake it.
resource job 'Microsoft.App/jobs@2026-01-01' = {
  name: names.workerJob
  location: location
  tags: union(tags, { 'azd-service-name': 'worker' })
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {}, '${scaler.id}': {} } }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'gpu'
    configuration: {
      triggerType: 'Event'
      replicaTimeout: longestSeconds
      // The message comes again by itself, to whichever worker; a second try of the execution would find nothing.
      replicaRetryLimit: 0
      registries: [{ server: registry.properties.loginServer, identity: identity.id }]
      identitySettings: [
        { identity: identity.id, lifecycle: 'Main' }
        { identity: scaler.id, lifecycle: 'None' }
      ]
      eventTriggerConfig: {
        parallelism: 1
        replicaCompletionCount: 1
        scale: {
          minExecutions: 0
          maxExecutions: maximumWorkers
          pollingInterval: 30
          rules: [
            for queue in ['predictions', 'trainings']: {
              name: queue
              type: 'azure-servicebus'
              identity: scaler.id
              metadata: { namespace: names.serviceBus, queueName: queue, messageCount: '1' }
            }
          ]
        }
      }
    }
    template: {
      containers: [
        {
          name: 'worker'
          image: image
          resources: { cpu: room.cpu, memory: room.memory }
          env: [
            { name: 'AZURE_CLIENT_ID', value: identity.properties.clientId }
            { name: 'SdxlStorage__blobServiceUri', value: account.properties.primaryEndpoints.blob }
            { name: 'SdxlServiceBus__fullyQualifiedNamespace', value: '${names.serviceBus}.servicebus.windows.net' }
            { name: 'Sdxl__ModelsFolder', value: '/models' }
            { name: 'Sdxl__ScratchFolder', value: '/scratch' }
            // Of the 8 GiB that a replica has in all.
            { name: 'Sdxl__ScratchBytes', value: '4294967296' }
            { name: 'Sdxl__Device', value: 'cuda' }
            // The loaded model serves whatever comes within these minutes; then the card is given back.
            { name: 'Sdxl__ExitWhenIdleMinutes', value: '5' }
            // Both models together want more than a T4 has.
            { name: 'Sdxl__PredictWhileTraining', value: string(profile == 'Consumption-GPU-NC24-A100') }
            { name: 'Sdxl__PricePerHour', value: pricePerHour }
            { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString }
          ]
          volumeMounts: [
            { volumeName: 'models', mountPath: '/models' }
            { volumeName: 'scratch', mountPath: '/scratch' }
          ]
        }
      ]
      volumes: [
        { name: 'models', storageType: 'AzureFile', storageName: models.name }
        { name: 'scratch', storageType: 'EmptyDir' }
      ]
    }
  }
}
