// The whole system in one resource group: `azd up`. Beside it a second environment stands without touching this one; `azd down --purge`
// leaves nothing.
targetScope = 'subscription'

import { namesOf } from 'names.bicep'

@description('Name of the environment: part of the group\'s name and of every resource\'s token.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything. Serverless A100: australiaeast, brazilsouth, eastus, italynorth, swedencentral, westus, westus3.')
@metadata({ azd: { type: 'location' } })
@minLength(3)
param location string

@description('Who runs the deployment; gets what is needed to bring models and look at data. Empty: nobody.')
param principalId string = ''

@description('Of that one. A pipeline\'s is a ServicePrincipal.')
@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string = 'User'

@description('Where the worker runs: a Container Apps job, a pool of an AKS cluster, or elsewhere, for which nothing is made here.')
@allowed(['container-apps', 'aks', 'elsewhere'])
param workerPlace string = 'container-apps'

@description('Card of the Container Apps job.')
@allowed(['Consumption-GPU-NC24-A100', 'Consumption-GPU-NC8as-T4'])
param gpuProfile string = 'Consumption-GPU-NC24-A100'

@description('Machine of the AKS pool.')
param gpuMachine string = 'Standard_NC24ads_A100_v4'

@description('Take spot machines into the AKS pool.')
param gpuSpot bool = false

@description('Workers, and so cards, at most.')
@minValue(1)
param maximumWorkers int = 2

@description('Seconds that one execution of the Container Apps job may take.')
param longestTrainingSeconds int = 86400

@description('Price of the card for an hour, for quotes and for the measurement of what a run cost; empty: unknown.')
param gpuPricePerHour string = ''

@description('Of that price.')
param currency string = 'USD'

@description('The worker\'s image, once azd has pushed one; empty: a placeholder that ends by itself.')
param workerImage string = ''

@description('Size of the registry.')
@allowed(['Basic', 'Standard', 'Premium'])
param registrySize string = 'Basic'

@description('Let Durable Task Scheduler keep the orchestrations instead of the storage account.')
param durableTaskScheduler bool = false

@description('Addresses that may reach the scheduler and its dashboard.')
param schedulerAddresses array = ['0.0.0.0/0']

@description('Memory of a functions instance, MB.')
@allowed([2048, 4096])
param functionsMemoryMB int = 4096

@description('Functions instances at most.')
param functionsInstances int = 40

@description('Pictures that one functions instance prepares at a time; docs/operations.md has the arithmetic.')
param picturesPerInstance int = 1

@description('Pictures of one training that are prepared at a time, on all instances.')
param picturesPerTraining int = 8

@description('Seconds between two looks at a training whose worker has not answered.')
param heartbeatCheckSeconds int = 180

@description('Keep one functions instance ready for orchestrations.')
param alwaysReady bool = false

@description('Base model of trainings that name none.')
param defaultBase string = 'sdxl'

@description('Owner of models whose upload names none, and of the token below.')
param owner string = 'me'

@description('SHA-256 of the owner\'s token, 64 hex characters. Empty: nobody gets in over HTTP.')
param ownerTokenSha256 string = ''

@description('Hours that a link to a file is worth something.')
param linkHours int = 24

@description('Days that things are kept, by kind; 0: for ever. functions/Retention/RetentionOptions.cs says what each is.')
param retention object = {
  UploadDays: 30
  DatasetDays: 90
  ScratchDays: 30
  FailedCheckpointDays: 7
  PredictionDays: 30
  FileDays: 7
}

@description('Largest archive, bytes.')
param maxArchiveBytes int = 262144000

@description('Largest file that a data URI may hold, bytes.')
param maxDataUriBytes int = 33554432

@description('Hours without a word from a worker after which a training has failed.')
param maxSilenceHours int = 24

@description('Hours after which a prediction that no worker has drawn fails.')
param maxPredictionHours int = 24

@description('Hosts inside the network that inputs may name, comma-separated.')
param trustedHosts string = ''

@description('Size of the share with the base models, GiB.')
param modelsShareGiB int = 100

@description('Days for which deleted blobs can be brought back.')
param undeleteDays int = 7

@description('Days for which logs are kept.')
param logDays int = 30

@description('GiB of logs a day at most; -1: no limit.')
param logGiBPerDay int = 1

@description('Who is told of alerts; empty: nobody.')
param alertEmail string = ''

@description('Minutes for which jobs may wait while no worker speaks.')
@allowed([15, 30, 60])
param alertPatienceMinutes int = 30

@description('Month\'s budget in the subscription\'s currency; 0: none. Needs alertEmail.')
param budgetAmount int = 0

@description('First day of the month in which the budget is made, as 2026-12-01. Leave it as it was afterwards.')
param budgetStart string = ''

var tags = { 'azd-env-name': environmentName }
var names = namesOf(toLower(uniqueString(subscription().id, environmentName, location)))
var needsRegistry = workerPlace != 'elsewhere'

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-sdxl-${environmentName}'
  location: location
  tags: tags
}

module identities 'modules/identities.bicep' = {
  scope: group
  params: { location: location, tags: tags, names: names }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    names: names
    undeleteDays: undeleteDays
  }
}

module modelsStorage 'modules/models-storage.bicep' = {
  scope: group
  params: { location: location, tags: tags, names: names, shareGiB: modelsShareGiB }
}

module serviceBus 'modules/service-bus.bicep' = {
  scope: group
  params: { location: location, tags: tags, names: names }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: { location: location, tags: tags, names: names, keepDays: logDays, dailyGiB: logGiBPerDay }
}

module topics 'modules/event-grid-topics.bicep' = {
  scope: group
  params: { location: location, tags: tags, names: names }
  dependsOn: [identities, storage]
}

// Roles first, and then what needs them: a role takes minutes to act.
module access 'modules/access.bicep' = {
  scope: group
  params: { names: names, principalId: principalId, principalType: principalType }
  dependsOn: [identities, storage, modelsStorage, serviceBus, topics, monitoring]
}

module uploads 'modules/event-grid-uploads.bicep' = {
  scope: group
  params: { names: names }
  dependsOn: [access]
}

module scheduler 'modules/durable-task-scheduler.bicep' = if (durableTaskScheduler) {
  scope: group
  params: {
    location: location
    tags: tags
    names: names
    principalId: principalId
    principalType: principalType
    allowedAddresses: schedulerAddresses
  }
  dependsOn: [identities]
}

module functions 'modules/functions.bicep' = {
  scope: group
  params: {
    location: location
    tags: tags
    names: names
    instanceMemoryMB: functionsMemoryMB
    maximumInstances: functionsInstances
    picturesPerInstance: picturesPerInstance
    picturesPerTraining: picturesPerTraining
    heartbeatCheckSeconds: heartbeatCheckSeconds
    alwaysReady: alwaysReady
    defaultBase: defaultBase
    owner: owner
    ownerTokenSha256: ownerTokenSha256
    linkHours: linkHours
    retention: retention
    pricePerHour: gpuPricePerHour
    currency: currency
    maxArchiveBytes: maxArchiveBytes
    maxDataUriBytes: maxDataUriBytes
    maxSilenceHours: maxSilenceHours
    maxPredictionHours: maxPredictionHours
    trustedHosts: trustedHosts
    durableTaskScheduler: durableTaskScheduler
  }
  dependsOn: [access, scheduler]
}

module registry 'modules/registry.bicep' = if (needsRegistry) {
  scope: group
  params: { location: location, tags: tags, names: names, size: registrySize }
  dependsOn: [identities]
}

module workerInContainerApps 'modules/worker-container-apps.bicep' = if (workerPlace == 'container-apps') {
  scope: group
  params: {
    location: location
    tags: tags
    names: names
    profile: gpuProfile
    maximumWorkers: maximumWorkers
    image: empty(workerImage) ? 'mcr.microsoft.com/k8se/quickstart-jobs:latest' : workerImage
    longestSeconds: longestTrainingSeconds
    pricePerHour: gpuPricePerHour
  }
  dependsOn: [access, registry]
}

module workerInAks 'modules/worker-aks.bicep' = if (workerPlace == 'aks') {
  scope: group
  params: {
    location: location
    tags: tags
    names: names
    gpuMachine: gpuMachine
    maximumWorkers: maximumWorkers
    spot: gpuSpot
  }
  dependsOn: [access, registry]
}

module alerts 'modules/alerts.bicep' = {
  scope: group
  params: { location: location, tags: tags, names: names, email: alertEmail, patienceMinutes: alertPatienceMinutes }
  dependsOn: [serviceBus, monitoring]
}

module budget 'modules/budget.bicep' = if (budgetAmount > 0 && !empty(alertEmail)) {
  scope: group
  params: { amount: budgetAmount, start: budgetStart, email: alertEmail }
}

// What azd, docs/operations.md and the Kubernetes overlays ask for.
output AZURE_LOCATION string = location
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = needsRegistry ? registry!.outputs.endpoint : ''
output SDXL_STORAGE_ACCOUNT string = names.storage
output SDXL_MODELS_ACCOUNT string = names.modelsStorage
output SDXL_SERVICE_BUS string = names.serviceBus
output SDXL_WORKER_IDENTITY string = names.workerIdentity
output SDXL_SCALER_IDENTITY string = names.scalerIdentity
output SDXL_CLUSTER string = workerPlace == 'aks' ? names.cluster : ''
output SDXL_URL string = 'https://${names.functions}.azurewebsites.net'
