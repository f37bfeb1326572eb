// Every role that is given, to whom, on what, and why. Nobody holds an owner's role but the two for which nothing less works.

import { roles } from '../names.bicep'

param names object

@description('Who runs the deployment, to bring models and look at data; empty: nobody.')
param principalId string

@description('Of that one: a person, or the service principal of a pipeline. The wrong word fails the deployment.')
@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string

var functionsName = names.functionsIdentity
var workerName = names.workerIdentity
var eventsName = names.eventsIdentity

var onData = [
  { to: functionsName, role: 'blobDataOwner', why: 'Host: leases, the deployment package, the durable back end; records and versions.' }
  { to: functionsName, role: 'queueDataContributor', why: 'Host: the durable back end keeps its messages in storage queues.' }
  { to: functionsName, role: 'tableDataContributor', why: 'Host: the durable back end keeps histories in tables.' }
  { to: workerName, role: 'blobDataContributor', why: 'Worker: data sets in; checkpoints, versions and pictures out.' }
  { to: eventsName, role: 'blobDataContributor', why: 'Event Grid: writes events that it cannot deliver into event-dead-letters.' }
]

var onQueues = [
  { queue: 'uploads', to: eventsName, role: 'serviceBusDataSender', why: 'Event Grid: BlobCreated events of the container uploads.' }
  { queue: 'uploads', to: functionsName, role: 'serviceBusDataReceiver', why: 'Functions: an upload starts a training.' }
  { queue: 'trainings', to: functionsName, role: 'serviceBusDataSender', why: 'Functions: hand out training jobs.' }
  { queue: 'trainings', to: functionsName, role: 'serviceBusDataReceiver', why: 'Functions: dead letters end trainings that no worker survived.' }
  { queue: 'trainings', to: workerName, role: 'serviceBusDataReceiver', why: 'Worker: takes training jobs.' }
  { queue: 'trainings', to: workerName, role: 'serviceBusDataSender', why: 'Worker: a job that it gives back is a new message.' }
  { queue: 'predictions', to: functionsName, role: 'serviceBusDataSender', why: 'Functions: hand out prediction jobs.' }
  { queue: 'predictions', to: functionsName, role: 'serviceBusDataReceiver', why: 'Functions: dead letters end predictions that no worker survived.' }
  { queue: 'predictions', to: workerName, role: 'serviceBusDataReceiver', why: 'Worker: takes prediction jobs.' }
  { queue: 'predictions', to: workerName, role: 'serviceBusDataSender', why: 'Worker: a job that it gives back is a new message.' }
  { queue: 'worker-events', to: workerName, role: 'serviceBusDataSender', why: 'Worker: reports progress and ends.' }
  { queue: 'worker-events', to: functionsName, role: 'serviceBusDataReceiver', why: 'Functions: reports wake the orchestration.' }
  { queue: 'events', to: functionsName, role: 'serviceBusDataSender', why: 'Functions: hand out what is to be told to the world.' }
  { queue: 'events', to: functionsName, role: 'serviceBusDataReceiver', why: 'Functions: tell it, again where somebody did not answer.' }
]

var onInsights = [
  { to: functionsName, role: 'metricsPublisher', why: 'Functions: telemetry without a key.' }
  { to: workerName, role: 'metricsPublisher', why: 'Worker: telemetry without a key.' }
]

resource account 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.storage
}

resource modelsAccount 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: names.modelsStorage
}

resource namespace 'Microsoft.ServiceBus/namespaces@2026-01-01' existing = {
  name: names.serviceBus
}

resource queues 'Microsoft.ServiceBus/namespaces/queues@2026-01-01' existing = [
  for grant in onQueues: {
    parent: namespace
    name: grant.queue
  }
]

resource topic 'Microsoft.EventGrid/topics@2025-02-15' existing = {
  name: names.completionEvents
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: names.insights
}

resource functions 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.functionsIdentity
}

resource scaler 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.scalerIdentity
}

resource dataIdentities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for grant in onData: {
    name: grant.to
  }
]

resource queueIdentities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for grant in onQueues: {
    name: grant.to
  }
]

resource insightsIdentities 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = [
  for grant in onInsights: {
    name: grant.to
  }
]

resource dataGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, index) in onData: {
    name: guid(account.id, grant.to, grant.role)
    scope: account
    properties: {
      principalId: dataIdentities[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
      description: grant.why
    }
  }
]

resource queueGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, index) in onQueues: {
    name: guid(namespace.id, grant.queue, grant.to, grant.role)
    scope: queues[index]
    properties: {
      principalId: queueIdentities[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
      description: grant.why
    }
  }
]

resource insightsGrants 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (grant, index) in onInsights: {
    name: guid(insights.id, grant.to, grant.role)
    scope: insights
    properties: {
      principalId: insightsIdentities[index].properties.principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[grant.role])
      description: grant.why
    }
  }
]

resource sendsCompletions 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(topic.id, names.functionsIdentity, 'eventGridDataSender')
  scope: topic
  properties: {
    principalId: functions.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.eventGridDataSender)
    description: 'Functions: tell of started, ended and published trainings.'
  }
}

resource readsQueueLengths 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(namespace.id, names.scalerIdentity, 'serviceBusDataOwner')
  scope: namespace
  properties: {
    principalId: scaler.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.serviceBusDataOwner)
    description: 'Scaler: queue lengths are told to owners only. No container holds this identity.'
  }
}

resource operatorOnData 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(principalId)) {
  name: guid(account.id, principalId, 'blobDataContributor')
  scope: account
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.blobDataContributor)
    description: 'Whoever deploys: drops archives, brings models, restores blobs.'
  }
}

resource operatorOnModels 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(principalId)) {
  name: guid(modelsAccount.id, principalId, 'filePrivilegedContributor')
  scope: modelsAccount
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.filePrivilegedContributor)
    description: 'Whoever deploys: fills the share of base models without its key.'
  }
}
