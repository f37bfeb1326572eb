// The functions app on Flex Consumption. The code comes from azd; this is where it runs and what it is told.

param location string
param tags object
param names object

@description('Memory of an instance, MB: BLIP and CLIPSeg take 2.5 GB of it, a picture in preparation up to 640 MB.')
@allowed([2048, 4096])
param instanceMemoryMB int

@description('Instances at most: what a data set of twenty pictures may spread over, and the bill\'s bound.')
@minValue(1)
@maxValue(1000)
param maximumInstances int

@description('Pictures that one instance prepares at a time.')
@minValue(1)
param picturesPerInstance int

@description('Pictures of one training that are prepared at a time, on all instances.')
@minValue(1)
param picturesPerTraining int

@description('Seconds between two looks at a training whose worker has not answered.')
param heartbeatCheckSeconds int

@description('Keep one instance ready for orchestrations, so that they do not wait for a cold start; it is billed while idle.')
param alwaysReady bool

@description('Base model of trainings that name none.')
param defaultBase string

@description('Owner of models whose upload names none, and of the token below.')
param owner string

@description('SHA-256 of the owner\'s token; empty: only tokens in storage count.')
param ownerTokenSha256 string

@description('Hours that a link to a file is worth something.')
param linkHours int

@description('Days that things are kept, by the names of functions/Retention/RetentionOptions.cs.')
param retention object

@description('Price of a worker\'s hour, for quotes; empty: nothing is said.')
param pricePerHour string

@description('Of that price.')
param currency string

@description('Largest archive, bytes.')
param maxArchiveBytes int

@description('Largest file that a data URI may hold, bytes.')
param maxDataUriBytes int

@description('Hours without a word from a worker after which a training has failed.')
param maxSilenceHours int

@description('Hours after which a prediction that no worker has drawn fails.')
param maxPredictionHours int

@description('Hosts inside the network that inputs may name, comma-separated.')
param trustedHosts string

@description('Whether Durable Task Scheduler keeps the orchestrations; else the storage account does.')
param durableTaskScheduler bool

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.functionsIdentity
}

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.storage
}

resource modelsAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.modelsStorage
}

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: names.completionEvents
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.insights
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = if (durableTaskScheduler) {
  name: names.scheduler
}

var modelsFolder = '/models'

// Triggers and host take the identity from these; the scale controller reads them too, so they are plain values.
var hostSettings = {
  AzureWebJobsStorage__blobServiceUri: account.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: account.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: account.properties.primaryEndpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identity.properties.clientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insights.properties.ConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.properties.clientId};Authorization=AAD'
  // GET / is the app's own.
  AzureWebJobsDisableHomepage: 'true'
  // Three of the largest files and some text; functions/Hosting/SdxlOptions.cs, MaxBodyBytes.
  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: string(3 * maxArchiveBytes + 8388608)
  AzureFunctionsJobHost__extensions__durableTask__maxConcurrentActivityFunctions: string(picturesPerInstance)
  // Storage queues are looked at every 10 s at least, as Flex wants it, not every 30.
  AzureFunctionsJobHost__extensions__durableTask__storageProvider__maxQueuePollingInterval: '00:00:10'
}

var schedulerLogin = 'TaskHub=sdxl;Authentication=ManagedIdentity;ClientID=${identity.properties.clientId}'
var schedulerSettings = durableTaskScheduler
  ? {
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__type: 'azureManaged'
      AzureFunctionsJobHost__extensions__durableTask__storageProvider__connectionStringName: 'DURABLE_TASK_SCHEDULER_CONNECTION_STRING'
      AzureFunctionsJobHost__extensions__durableTask__hubName: 'sdxl'
      DURABLE_TASK_SCHEDULER_CONNECTION_STRING: 'Endpoint=${scheduler!.properties.endpoint};${schedulerLogin}'
    }
  : {}

// The app removes what is old, once a day: what it keeps for ever, no rule of the account may take away.
var retentionSettings = toObject(items(retention), kind => 'Sdxl__Retention__${kind.key}', kind => string(kind.value))

// What our code reads: core/Settings/Connections.cs, functions/Hosting/SdxlOptions.cs.
var productSettings = {
  AZURE_CLIENT_ID: identity.properties.clientId
  SdxlStorage__blobServiceUri: account.properties.primaryEndpoints.blob
  SdxlServiceBus__fullyQualifiedNamespace: '${names.serviceBus}.servicebus.windows.net'
  SdxlServiceBus__credential: 'managedidentity'
  SdxlServiceBus__clientId: identity.properties.clientId
  Sdxl__ModelsFolder: modelsFolder
  // The share holds the worker's files too, where the worker is in Azure; elsewhere they may be others', so the worker is the one that
  // looks.
  Sdxl__NetsAreHere: 'false'
  Sdxl__DefaultBase: defaultBase
  Sdxl__Owner: owner
  Sdxl__OwnerTokenSha256: ownerTokenSha256
  // Empty: links lead to blob storage, signed by a delegation key of this identity, so that no key of ours exists.
  Sdxl__SigningKey: ''
  Sdxl__LinkHours: string(linkHours)
  Sdxl__PricePerHour: pricePerHour
  Sdxl__Currency: currency
  Sdxl__PicturesAtOnce: string(picturesPerTraining)
  Sdxl__HeartbeatCheckSeconds: string(heartbeatCheckSeconds)
  Sdxl__EventGrid__Endpoint: topic.properties.endpoint
  // Empty: this identity publishes.
  Sdxl__EventGrid__Key: ''
  // Empty: links carry the host that the request came to.
  Sdxl__PublicUrl: ''
  Sdxl__MaxArchiveBytes: string(maxArchiveBytes)
  Sdxl__MaxDataUriBytes: string(maxDataUriBytes)
  Sdxl__TrustedHosts: trustedHosts
  Sdxl__MaxSilenceHours: string(maxSilenceHours)
  Sdxl__MaxPredictionHours: string(maxPredictionHours)
  // Clients come by https here.
  Sdxl__DataOutputOnHttp: 'false'
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: names.plan
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: names.functions
  location: location
  tags: union(tags, { 'azd-service-name': 'functions' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identity.id}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    siteConfig: { minTlsVersion: '1.2', ftpsState: 'Disabled' }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${account.properties.primaryEndpoints.blob}app-package'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identity.id }
        }
      }
      runtime: { name: 'dotnet-isolated', version: '10.0' }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
        alwaysReady: alwaysReady ? [{ name: 'durable', instanceCount: 1 }] : []
      }
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(hostSettings, schedulerSettings, productSettings, retentionSettings)
}

// The one key of the whole system: an SMB mount takes nothing else. `azd provision` reads it anew, which is all that a rotation needs.
resource mounts 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'azurestorageaccounts'
  properties: {
    models: {
      type: 'AzureFiles'
      accountName: modelsAccount.name
      shareName: 'base-models'
      mountPath: modelsFolder
      accessKey: modelsAccount.listKeys().keys[0].value
    }
  }
  dependsOn: [settings]
}

resource noFtp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource noBasicAuth 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}
