// The orchestrations' back end for those who run many: billed by the action, with a dashboard of its own. Without it they live in the
// storage account.
// The app must be built with -p:DurableTaskScheduler=true, which adds the extension that speaks to it.

import { roles } from '../names.bicep'

param location string
param tags object
param names object
param principalId string

@allowed(['User', 'ServicePrincipal', 'Group'])
param principalType string

@description('Addresses that may reach it. An empty list would keep everybody out.')
param allowedAddresses array

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: names.functionsIdentity
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: names.scheduler
  location: location
  tags: tags
  properties: {
    sku: { name: 'Consumption' }
    ipAllowlist: allowedAddresses
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: 'sdxl'
}

resource functionsGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(scheduler.id, names.functionsIdentity, 'durableTaskDataContributor')
  scope: scheduler
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.durableTaskDataContributor)
    description: 'Functions: start and run orchestrations.'
  }
}

resource operatorGrant 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(principalId)) {
  name: guid(scheduler.id, principalId, 'durableTaskDataContributor')
  scope: scheduler
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.durableTaskDataContributor)
    description: 'Whoever deploys: the dashboard.'
  }
}
